"""Its process dies while the module is imported."""

import os

os._exit(9)
