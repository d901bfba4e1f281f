"""Does something now and then and says so.  Usage: worker.py [WHAT [SECONDS]]"""

from __future__ import annotations

import itertools
import sys
import time

what, seconds = [*sys.argv[1:], *["job", "1"][len(sys.argv) - 1 :]][:2]
for number in itertools.count(1):
    print(f"{time.strftime('%H:%M:%S')} {what} {number}")
    time.sleep(float(seconds))
