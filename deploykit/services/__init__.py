"""What nginx and php-fpm are: where they live, how they are tested, reloaded and proved."""
