<?php

declare(strict_types=1);

namespace Guestbook;

use PDO;
use PDOException;

/** The site's PostgreSQL; where it is stands in the environment. */
final class Database
{
    /** The connection this worker kept from its last request, or a new one. */
    public static function connect(): PDO
    {
        try {
            $database = self::open();
            $database->query('SELECT 1');

            return $database;
        } catch (PDOException) {
            // The database was restarted since; opened once more, a dead connection is renewed.
            unset($database);

            return self::open();
        }
    }

    private static function open(): PDO
    {
        $dsn = sprintf(
            'pgsql:host=%s;port=%s;dbname=%s;connect_timeout=5',
            getenv('DB_HOST'),
            getenv('DB_PORT') ?: '5432',
            getenv('DB_NAME'),
        );

        return new PDO($dsn, getenv('DB_USER'), getenv('DB_PASSWORD'), [
            PDO::ATTR_PERSISTENT => true,
            PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
            PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
            PDO::ATTR_EMULATE_PREPARES => false,
        ]);
    }
}
