"""The life of a task as a state machine."""
