"""The SSH door: signs people in, gives each a session with an app, and keeps it when the line drops."""
