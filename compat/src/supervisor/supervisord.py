"""`python -m supervisor.supervisord`."""

from __future__ import annotations

import sys

from proctor.supervisord import main
from supervisor.absent import absent
from supervisor.states import SupervisorStates

__all__ = ["SupervisorStates", "main"]
__getattr__ = absent(__name__)

if __name__ == "__main__":
    sys.exit(main())
