<?php

declare(strict_types=1);

namespace Guestbook;

use PDO;
use Throwable;

/** The guest book's entries. */
final class Entries
{
    private const PAGE = 50;
    private const COLUMNS = <<<'SQL'
        id, key, name, message,
        to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at
        SQL;

    public function __construct(private readonly PDO $database)
    {
    }

    /** Makes the table unless it is there; the health check calls it, so it is before any visitor comes. */
    public function createTable(): void
    {
        if ($this->database->query("SELECT to_regclass('entries')")->fetchColumn() !== null) {
            return;
        }
        $this->inTransaction(function (): void {
            // Two containers may start at once, and IF NOT EXISTS alone does not make them take turns.
            $this->database->exec("SELECT pg_advisory_xact_lock(hashtext('guestbook'))");
            $this->database->exec((string) file_get_contents(dirname(__DIR__) . '/schema.sql'));
        });
    }

    /**
     * The newest entries, or those before one of them; "next" is where the following page begins.
     *
     * @return array{items: list<array<string, mixed>>, next: ?int}
     */
    public function page(?int $before): array
    {
        $select = $this->database->prepare(
            'SELECT ' . self::COLUMNS . ' FROM entries WHERE id < :before ORDER BY id DESC LIMIT :limit',
        );
        $select->execute(['before' => $before ?? PHP_INT_MAX, 'limit' => self::PAGE + 1]);
        $items = $select->fetchAll();
        $hasMore = count($items) > self::PAGE;
        $items = array_slice($items, 0, self::PAGE);

        return ['items' => $items, 'next' => $hasMore ? end($items)['id'] : null];
    }

    /**
     * Stores an entry and tells everyone who has the page open, both or neither.
     *
     * @return array{0: array<string, mixed>, 1: bool} the entry, and whether it is new
     */
    public function add(NewEntry $new): array
    {
        return $this->inTransaction(function () use ($new): array {
            $insert = $this->database->prepare(
                'INSERT INTO entries (key, name, message) VALUES (:key, :name, :message)
                 ON CONFLICT (key) DO NOTHING RETURNING ' . self::COLUMNS,
            );
            $insert->execute(['key' => $new->key, 'name' => $new->name, 'message' => $new->message]);
            $entry = $insert->fetch();
            if ($entry === false) {
                $select = $this->database->prepare('SELECT ' . self::COLUMNS . ' FROM entries WHERE key = :key');
                $select->execute(['key' => $new->key]);

                return [$select->fetch(), false];
            }

            $notify = $this->database->prepare("SELECT pg_notify('alert', :message)");
            $notify->execute([
                'message' => json_encode(
                    ['event' => 'entry', 'data' => $entry],
                    JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE,
                ),
            ]);

            return [$entry, true];
        });
    }

    /**
     * @template T
     * @param callable(): T $work
     * @return T
     */
    private function inTransaction(callable $work): mixed
    {
        $this->database->beginTransaction();
        try {
            $result = $work();
            $this->database->commit();

            return $result;
        } catch (Throwable $error) {
            $this->database->rollBack();
            throw $error;
        }
    }
}
