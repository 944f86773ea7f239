"""The terminal: screens, widgets, the thin driver and the SSH door."""
