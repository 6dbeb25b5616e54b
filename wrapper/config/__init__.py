"""The settings: environment variables, read once into frozen objects."""
