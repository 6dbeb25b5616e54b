"""Shows pipeline runs."""
