"""Core on HTTP, the daily work, and the loket command."""
