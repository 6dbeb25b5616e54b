"""Random ids that need not be secret.

`secrets` asks the kernel each time, and meanwhile another thread takes the GIL: with several
threads, that cost a tenth of a pipeline's time.
"""

from __future__ import annotations

import os
from random import Random

_random = Random(os.urandom(32))


def random_id(digits: int) -> str:
    """Return a random number with this many hexadecimal digits; safe from any thread."""
    return f"{_random.getrandbits(4 * digits):0{digits}x}"
