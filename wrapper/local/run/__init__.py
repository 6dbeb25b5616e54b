"""Running one algorithm: its process, its files, its output."""
