"""Its start is not callable."""

start = 5
