"""A clinic's whole day against a real server: its plan, its terminals, and the checks afterwards."""
