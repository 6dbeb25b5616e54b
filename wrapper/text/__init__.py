"""Wording that several folders share."""
