"""One node of a streaming pipeline in a test: the test plays the nodes before and after it."""
