"""Rows of [program:x] about how a process is stopped.

Source: compat config.md, section 9; kill_mode is ours.
"""

from __future__ import annotations

from proctor.config.convert import BOOLEAN, INTEGER, KILL_MODE, SIGNAL
from proctor.config.table import Option

STOPSIGNAL = Option(
    "stopsignal", SIGNAL, 15, sample="TERM", text="Signal that asks the process to end.",
)  # fmt: skip
STOPWAITSECS = Option(
    "stopwaitsecs", INTEGER, 10, sample="10", text="Seconds it has for that before SIGKILL.",
)  # fmt: skip
STOPASGROUP = Option(
    "stopasgroup", BOOLEAN, False, sample="false", since="3.0b1",
    text="Send the stop signal to the whole process group.",
)  # fmt: skip
KILLASGROUP: Option[bool | None] = Option(
    "killasgroup", BOOLEAN, None, sample="false", since="3.0a11",
    text="Send SIGKILL to the whole process group; without it, as stopasgroup.",
)  # fmt: skip
KILL_MODE_NAME: Option[str | None] = Option(
    "kill_mode", KILL_MODE, None, sample="process", since="Proctor 0.1",
    text="Whom a stop ends: the process, its process group, or the tree of all that come from it, "
    "before it counts as stopped; without it, as stopasgroup and killasgroup say.",
)  # fmt: skip

STOP_OPTIONS: tuple[Option[object], ...] = (
    STOPSIGNAL, STOPWAITSECS, STOPASGROUP, KILLASGROUP, KILL_MODE_NAME,
)  # fmt: skip
