"""echo_supervisord_conf: prints a configuration file to start from.

Source: compat config.md, section 17: arguments are ignored, exit status 0.
"""

from __future__ import annotations

import sys

from proctor.cli.streams import prepare_streams, survive_the_reader
from proctor.config.document import sample


def main() -> int:
    """Write the sample to stdout; the exit status."""
    prepare_streams()
    return survive_the_reader(_write)


def _write() -> int:
    sys.stdout.write(sample())
    return 0
