"""The clinic's domain and its records: headless, synchronous, the same for every door."""
