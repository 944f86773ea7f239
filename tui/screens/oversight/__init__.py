"""Oversight: who saw and did what, what the supervisor looks at each day, and rights that two people change."""
