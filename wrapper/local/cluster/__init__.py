"""HKube's API on a cluster: finding it, sending an algorithm's code, running what is stored."""
