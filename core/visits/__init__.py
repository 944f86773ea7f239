"""Visits: registration at the counter, and appointments made from home."""

__all__ = ["appointments", "danger_signatures", "payers", "registration", "routing_check", "routing_model"]
