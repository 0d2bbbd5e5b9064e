<?php

// Every request comes through here: find what was asked, do it, answer with JSON.

declare(strict_types=1);

use Guestbook\Database;
use Guestbook\Entries;
use Guestbook\Invalid;
use Guestbook\NewEntry;
use Guestbook\Request;
use Guestbook\Response;

spl_autoload_register(static function (string $class): void {
    require dirname(__DIR__) . '/src/' . substr($class, strlen('Guestbook\\')) . '.php';
});

$entries = static fn (): Entries => new Entries(Database::connect());

try {
    $request = Request::current();

    $response = match ($request->route()) {
        'GET /health' => (static function () use ($entries): Response {
            $entries()->createTable();
            return new Response(200, ['status' => 'ok']);
        })(),
        'GET /entries' => new Response(200, $entries()->page($request->id('before'))),
        'POST /entries' => (static function () use ($entries, $request): Response {
            [$entry, $isNew] = $entries()->add(NewEntry::fromArray($request->json()));
            return new Response($isNew ? 201 : 200, $entry);
        })(),
        default => Response::problem(404, 'not_found', 'There is nothing here.'),
    };
} catch (Invalid $invalid) {
    $response = Response::problem($invalid->status, $invalid->problem, $invalid->getMessage(), $invalid->fields);
} catch (Throwable $error) {
    error_log((string) $error);
    $response = $error instanceof PDOException
        ? Response::problem(503, 'database_unavailable', 'The database does not answer. Try again in a moment.')
        : Response::problem(500, 'internal_error', 'Something went wrong on our side.');
}

$response->send();
