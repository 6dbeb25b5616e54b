"""The format of stored data: headers, paths, references and metadata."""
