<?php

declare(strict_types=1);

namespace Guestbook;

use PDO;

/** The site's PostgreSQL; where it is stands in the environment. */
final class Database
{
    public static function connect(): PDO
    {
        $dsn = sprintf(
            'pgsql:host=%s;port=%s;dbname=%s;connect_timeout=5',
            getenv('DB_HOST'),
            getenv('DB_PORT') ?: '5432',
            getenv('DB_NAME'),
        );

        return new PDO($dsn, getenv('DB_USER'), getenv('DB_PASSWORD'), [
            PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
            PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
            PDO::ATTR_EMULATE_PREPARES => false,
        ]);
    }
}
