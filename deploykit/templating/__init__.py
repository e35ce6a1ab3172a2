"""Rendering: the sandbox, the filters that config authors expect, and the way back from an output line to its template line."""
