"""Words of the terminal, and its way of writing values."""
