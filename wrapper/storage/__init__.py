"""Storage mode v3: inputs and results straight from and to S3 or files, or from a peer's memory."""
