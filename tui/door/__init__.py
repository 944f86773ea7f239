"""The SSH door: signs people in, seats each at an app, and keeps the seat when the line drops."""
