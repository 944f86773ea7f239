"""The clinic's domain and its records: headless, synchronous, the same for every door."""

__version__ = "0.2.0"
