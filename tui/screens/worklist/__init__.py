"""What the laboratory and the pharmacy have to do, and where they enter that it is done."""
