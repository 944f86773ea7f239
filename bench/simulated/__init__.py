"""A clinic's days in one thread: a disk that fails, a clock that is set, people in an order drawn from a seed."""
