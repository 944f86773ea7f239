"""Imports of other systems' patient lists."""
