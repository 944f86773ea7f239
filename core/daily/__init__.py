"""The daily work: the closing with its steps, the reports, the backups."""

__all__ = ["backup", "closing", "closing_steps", "reports", "upgrading"]
