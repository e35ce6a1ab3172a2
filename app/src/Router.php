<?php

declare(strict_types=1);

namespace Webapp;

/** Path to answer: each route is a function that gets the release and returns [status, content type, body]. */
final class Router
{
    /** @var array<string, callable(Release): array{int, string, string}> */
    private array $routes = [];

    /** @param callable(Release): array{int, string, string} $answer */
    public function get(string $path, callable $answer): void
    {
        $this->routes[$path] = $answer;
    }

    /** @return array{int, string, string} */
    public function answer(string $method, string $path, Release $release): array
    {
        if (!isset($this->routes[$path])) {
            return [404, 'text/plain', "no such page\n"];
        }
        if ($method !== 'GET' && $method !== 'HEAD') {
            return [405, 'text/plain', "only GET and HEAD\n"];
        }
        return ($this->routes[$path])($release);
    }
}
