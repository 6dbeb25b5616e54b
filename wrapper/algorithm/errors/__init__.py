"""Error reports that show the user's own code."""
