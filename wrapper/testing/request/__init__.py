"""What a test asks for."""
