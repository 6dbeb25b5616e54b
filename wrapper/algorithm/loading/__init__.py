"""From ALGORITHM_ENTRY_POINT to the user's functions."""
