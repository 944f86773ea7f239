"""A clinic's whole day against a real server: what happens, who does it, and what must hold afterwards."""
