"""The process, or processes, that run the algorithm under test."""
