"""A clinic behind a line whose packets are counted, delayed and lost: what the terminal benches share."""
