"""Registration at a terminal, without screens: shared by the forms and line mode."""
