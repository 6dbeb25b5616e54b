"""A pipeline run as a state machine."""
