"""The clinical record: the note of this visit, and the visits before it."""
