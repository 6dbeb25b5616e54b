"""The messages of the algorithm protocol: names, shapes and ids."""
