"""`python -m supervisor.supervisord`."""

from __future__ import annotations

import sys

from proctor.supervisord import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
