"""One run of a pipeline as a state machine."""
