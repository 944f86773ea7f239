"""The rules over findings: their schema, loading, validation and matching."""
