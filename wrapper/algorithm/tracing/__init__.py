"""The task's place in a trace, for user code's own tracing."""
