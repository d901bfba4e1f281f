"""Works for a while, then crashes."""

from __future__ import annotations

import random
import time

print("up; this will not last")
time.sleep(random.uniform(5, 15))
raise RuntimeError("crashed, as it does now and then")
