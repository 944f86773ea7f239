"""The City Health Office as a receiver: whole Bundles, proven day by day."""
