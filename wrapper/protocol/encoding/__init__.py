"""Encoding messages as JSON, msgpack or BSON, and decoding them."""
