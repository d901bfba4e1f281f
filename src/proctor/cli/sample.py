"""echo_supervisord_conf: prints a configuration file to start from.

Source: compat config.md, section 17: arguments are ignored, exit status 0.
"""

from __future__ import annotations

import sys

from proctor.config.document import sample


def main() -> int:
    """Write the sample to stdout; the exit status."""
    sys.stdout.write(sample())
    return 0
