"""A pipeline's descriptor: parsing and checking it."""
