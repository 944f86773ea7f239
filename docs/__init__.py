"""Pages about Loket, and the script that draws some of them from the code."""
