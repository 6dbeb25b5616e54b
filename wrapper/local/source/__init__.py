"""From a PATH on the command line to an algorithm's code and description."""
