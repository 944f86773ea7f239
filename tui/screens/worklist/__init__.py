"""Worklists of the laboratory and the pharmacy, and entry of results and dispensing."""
