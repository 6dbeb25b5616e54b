"""Every example, run as its README has it."""
