"""One module per sub-command that a user can type."""
