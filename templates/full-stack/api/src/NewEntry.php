<?php

declare(strict_types=1);

namespace Guestbook;

/** An entry as a visitor wrote it, checked. */
final class NewEntry
{
    private const MAX_NAME = 40;
    private const MAX_MESSAGE = 500;
    private const UUID = '/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i';

    private function __construct(
        public readonly string $key,
        public readonly string $name,
        public readonly string $message,
    ) {
    }

    /** @param array<string, mixed> $input */
    public static function fromArray(array $input): self
    {
        $key = is_string($input['key'] ?? null) ? $input['key'] : '';
        $name = self::tidy($input['name'] ?? null, '/\s+/u', ' ');
        $message = self::tidy($input['message'] ?? null, '/\n{3,}/', "\n\n");

        $errors = array_values(array_filter([
            preg_match(self::UUID, $key) === 1
                ? null
                : ['field' => 'key', 'code' => 'invalid_uuid', 'message' => 'The key must be a UUID.'],
            self::checkLength('name', $name, self::MAX_NAME, 'Please tell your name.'),
            self::checkLength('message', $message, self::MAX_MESSAGE, 'Please write a few words.'),
        ]));

        return $errors === [] ? new self($key, $name, $message) : throw Invalid::fields($errors);
    }

    /** Drops control characters and outer blanks, and what is more than enough within. */
    private static function tidy(mixed $text, string $tooMuch, string $enough): string
    {
        if (!is_string($text)) {
            return '';
        }
        $text = str_replace(["\r\n", "\r"], "\n", $text);
        $text = preg_replace('/[^\P{Cc}\n\t]/u', '', $text);
        $text = preg_replace($tooMuch, $enough, $text);

        return preg_replace('/^[\s\p{Z}]+|[\s\p{Z}]+$/u', '', $text);
    }

    /** @return array{field: string, code: string, message: string}|null */
    private static function checkLength(string $field, string $text, int $max, string $missing): ?array
    {
        return match (true) {
            $text === '' => ['field' => $field, 'code' => 'required', 'message' => $missing],
            iconv_strlen($text, 'UTF-8') > $max => [
                'field' => $field,
                'code' => 'too_long',
                'message' => "That is too long; $max characters fit.",
            ],
            default => null,
        };
    }
}
