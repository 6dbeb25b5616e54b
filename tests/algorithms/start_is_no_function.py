"""Its start cannot be called."""

start = 5
