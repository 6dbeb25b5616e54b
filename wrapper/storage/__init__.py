"""Storage mode v3: reads inputs from S3, files or a peer's memory, and writes results."""
