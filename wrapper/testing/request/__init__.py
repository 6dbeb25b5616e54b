"""What a test asks for: the algorithm, its job, and the answers to its calls."""
