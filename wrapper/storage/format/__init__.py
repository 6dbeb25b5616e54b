"""What is stored and where: headers, paths, references, metadata."""
