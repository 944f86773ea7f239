"""Screens about patients themselves: their card, look-alikes, merges."""
