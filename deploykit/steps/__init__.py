"""One module per step that a user can write under events: in deploykit.yml."""
