"""Screens about patients themselves: record card, duplicates, merges."""
