"""The storage back ends, files and S3, with their retries and error messages."""
