"""The streaming side of HKubeApi: sending messages, and handling those that arrive."""
