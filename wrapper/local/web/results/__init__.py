"""What the page shows of a result: a part at a time, as what it is."""
