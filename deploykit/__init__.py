"""CodeDeploy lifecycle hooks that prove an nginx + php-fpm configuration before it is live."""

__version__ = "0.1.0"
