"""`python -m supervisor.confecho`: the sample configuration."""

from __future__ import annotations

import sys

from proctor.cli.sample import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
