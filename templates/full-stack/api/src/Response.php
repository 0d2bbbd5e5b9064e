<?php

declare(strict_types=1);

namespace Guestbook;

/** What the browser gets: a status and JSON. */
final class Response
{
    /** @param array<string, mixed> $body */
    public function __construct(
        private readonly int $status,
        private readonly array $body,
        private readonly string $type = 'application/json',
    ) {
    }

    /**
     * An error as RFC 9457 has it.
     *
     * @param list<array{field: string, code: string, message: string}> $errors
     */
    public static function problem(int $status, string $code, string $detail, array $errors = []): self
    {
        $body = ['status' => $status, 'code' => $code, 'detail' => $detail];
        if ($errors !== []) {
            $body['errors'] = $errors;
        }

        return new self($status, $body, 'application/problem+json');
    }

    public function send(): void
    {
        http_response_code($this->status);
        header("Content-Type: $this->type");
        header('Cache-Control: no-store');
        header('X-Content-Type-Options: nosniff');
        echo json_encode($this->body, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);
    }
}
