"""`python -m supervisor.pidproxy`."""

from __future__ import annotations

import sys

from proctor.cli.pidproxy import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
