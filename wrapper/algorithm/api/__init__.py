"""HKubeApi, the object that user code receives."""
