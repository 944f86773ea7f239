"""A thin terminal driver for Textual; see README.md."""
