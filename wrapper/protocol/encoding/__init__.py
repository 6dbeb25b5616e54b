"""How a message becomes bytes: JSON, msgpack or BSON."""
