"""A second machine that follows the journal by its folder and takes over (ADR 24)."""
