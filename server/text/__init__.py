"""The server's sentences, in the clinic's language."""
