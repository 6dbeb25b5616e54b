"""Wording that several folders share: suggestions and exit codes."""
