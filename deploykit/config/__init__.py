"""deploykit.yml: read with file:line:column, typed, and layered into the variables of one environment."""
