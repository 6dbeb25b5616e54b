"""Mode v3: holds results for other algorithms, and serves them on the supervisor's poller."""
