"""What the terminal says and how it writes values."""
