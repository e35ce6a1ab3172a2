<?php

declare(strict_types=1);

namespace Webapp;

/** What is deployed here: the version that the file VERSION beside src/ names, and the environment the pool was given. */
final class Release
{
    private string $version;
    private string $environment;

    public function __construct(string $version, string $environment)
    {
        $this->version = $version;
        $this->environment = $environment;
    }

    public static function here(): self
    {
        $version = @file_get_contents(dirname(__DIR__) . '/VERSION');
        return new self(trim($version === false ? 'unknown' : $version), getenv('APP_ENV') ?: 'none');
    }

    public function __toString(): string
    {
        return "webapp {$this->version} ({$this->environment})";
    }
}
