"""Record linkage: which records may belong to the same person, and how sure that is."""
