"""What registration means at a terminal, without a screen: shared by the forms and by line mode."""
