"""What is said between worker and algorithm, with no I/O, clock or thread."""
