"""Its process crashes while the module is imported."""

import os

os._exit(9)
