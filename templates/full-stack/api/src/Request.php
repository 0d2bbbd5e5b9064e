<?php

declare(strict_types=1);

namespace Guestbook;

use JsonException;

/** What the visitor's browser asked for. */
final class Request
{
    /** @param array<string, mixed> $query */
    private function __construct(
        private readonly string $method,
        private readonly string $path,
        private readonly array $query,
        private readonly string $body,
    ) {
    }

    public static function current(): self
    {
        $method = $_SERVER['REQUEST_METHOD'];

        return new self(
            $method === 'HEAD' ? 'GET' : $method,
            (string) parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH),
            $_GET,
            (string) file_get_contents('php://input'),
        );
    }

    /** Method and path, such as "GET /entries". */
    public function route(): string
    {
        return $this->method . ' ' . (rtrim($this->path, '/') ?: '/');
    }

    /** The id given in the query, or null. */
    public function id(string $name): ?int
    {
        if (!isset($this->query[$name])) {
            return null;
        }
        $id = filter_var($this->query[$name], FILTER_VALIDATE_INT, ['options' => ['min_range' => 1]]);

        return is_int($id) ? $id : throw Invalid::field($name, 'invalid_id', 'This is no id of an entry.');
    }

    /**
     * The body's JSON object.
     *
     * @return array<string, mixed>
     */
    public function json(): array
    {
        try {
            $value = json_decode($this->body, true, 8, JSON_THROW_ON_ERROR);
        } catch (JsonException) {
            throw Invalid::body();
        }

        return is_array($value) ? $value : throw Invalid::body();
    }
}
