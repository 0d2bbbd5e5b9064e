<?php

declare(strict_types=1);

namespace Guestbook;

use RuntimeException;

/** The request cannot be done as it is, and why. */
final class Invalid extends RuntimeException
{
    /** @param list<array{field: string, code: string, message: string}> $fields */
    private function __construct(
        public readonly int $status,
        public readonly string $problem,
        string $message,
        public readonly array $fields = [],
    ) {
        parent::__construct($message);
    }

    public static function body(): self
    {
        return new self(400, 'invalid_json', 'The body must be a JSON object.');
    }

    public static function field(string $field, string $code, string $message): self
    {
        return self::fields([compact('field', 'code', 'message')]);
    }

    /** @param list<array{field: string, code: string, message: string}> $fields */
    public static function fields(array $fields): self
    {
        return new self(422, 'invalid_fields', $fields[0]['message'], $fields);
    }
}
