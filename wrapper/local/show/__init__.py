"""How a run is shown to a person or kept for a program."""
