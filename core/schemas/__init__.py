"""The shapes that travel between terminal and core, checked on both sides."""
