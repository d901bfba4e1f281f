"""What ctl plug-ins build on, and `python -m supervisor.supervisorctl`."""

from __future__ import annotations

import sys

from proctor.cli.controller import Controller as _Controller
from proctor.cli.controller import Options
from proctor.cli.main import supervisorctl as main
from proctor.cli.third_party import ControllerPluginBase
from proctor.cli.verbs.all import VERBS
from supervisor.absent import absent

__all__ = [
    "Controller",
    "ControllerPluginBase",
    "LSBInitExitStatuses",
    "LSBStatusExitStatuses",
    "main",
]
__getattr__ = absent(__name__)


class LSBInitExitStatuses:
    """Exit codes of commands other than `status`."""

    SUCCESS = 0
    GENERIC = 1
    INVALID_ARGS = 2
    UNIMPLEMENTED_FEATURE = 3
    INSUFFICIENT_PRIVILEGES = 4
    NOT_INSTALLED = 5
    NOT_RUNNING = 7


class LSBStatusExitStatuses:
    """Exit codes of `status`."""

    NOT_RUNNING = 3
    UNKNOWN = 4


class Controller(_Controller):
    """A controller of our own verbs, for code that makes one itself."""

    def __init__(self, options: Options) -> None:
        super().__init__(options, VERBS)


if __name__ == "__main__":
    sys.exit(main())
