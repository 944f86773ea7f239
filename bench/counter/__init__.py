"""A clinic behind a line whose packets are counted, delayed and lost: shared by the terminal benches."""
