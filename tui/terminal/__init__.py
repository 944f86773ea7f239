"""The thin terminal: cell grid, encoder, capabilities, driver."""
