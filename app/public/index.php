<?php

declare(strict_types=1);

use Webapp\Release;
use Webapp\Router;

require dirname(__DIR__) . '/src/Release.php';
require dirname(__DIR__) . '/src/Router.php';

$router = new Router();

$router->get('/', function (Release $release): array {
    $title = htmlspecialchars((string) $release);
    $body = <<<HTML
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><title>{$title}</title><link rel="stylesheet" href="/assets/app.css"></head>
        <body><h1>{$title}</h1><p>Served by nginx and php-fpm, deployed by deploykit.</p></body>
        </html>

        HTML;
    return [200, 'text/html; charset=utf-8', $body];
});

// What load balancers and ValidateService ask for: an answer from here went through nginx, the socket and PHP.
$router->get('/health', fn (Release $release): array => [200, 'text/plain', "ok {$release}\n"]);

$path = parse_url($_SERVER['REQUEST_URI'] ?? '/', PHP_URL_PATH);
[$status, $type, $body] = $router->answer(
    $_SERVER['REQUEST_METHOD'] ?? 'GET',
    is_string($path) ? $path : '/',
    Release::here(),
);

http_response_code($status);
header("Content-Type: {$type}");
echo $body;
