"""The settings: environment variables, read once into immutable objects."""
