"""The places that hold data: files and S3."""
