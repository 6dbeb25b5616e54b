"""The runs that the page shows: their facts, and where they are kept."""
