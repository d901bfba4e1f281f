"""Rows of [program:x]; all of them are rows of [eventlistener:x] and [fcgi-program:x] too.

Source: compat config.md, section 9.
"""

from __future__ import annotations

from proctor.config.convert import (
    AUTO_RESTART,
    BOOLEAN,
    BYTE_SIZE,
    CHILD_LOG,
    COUNT,
    EXIT_CODES,
    INTEGER,
    NAME,
    TEXT,
    UMASK_BITS,
    USER,
)
from proctor.config.options.program_stop import STOP_OPTIONS
from proctor.config.table import Option, SectionType
from proctor.core.spec import AutoRestart
from proctor.core.values import dataclass

COMMAND: Option[str | None] = Option(
    "command", TEXT, None, sample="/bin/cat",
    text="What to run: a program and its arguments in shell-like quoting, but without a shell.",
)  # fmt: skip
PROCESS_NAME = Option(
    "process_name", NAME, "%(program_name)s", sample="%(program_name)s",
    text="Name of each process; with numprocs it must contain %(process_num).",
)  # fmt: skip
NUMPROCS = Option("numprocs", INTEGER, 1, sample="1", text="How many processes to run.")
NUMPROCS_START = Option(
    "numprocs_start", INTEGER, 0, sample="0", since="3.0a4", text="Number of the first of them.",
)  # fmt: skip
DIRECTORY: Option[str | None] = Option(
    "directory", TEXT, None, sample="/tmp", text="Directory the process starts in.",
)  # fmt: skip
NO_NEW_PRIVS = Option(
    "no_new_privs", BOOLEAN, False, sample="true", since="Proctor 0.1",
    text="Neither it nor what it starts gains rights by set-user-ID programs such as sudo.",
)  # fmt: skip
UMASK: Option[int | None] = Option(
    "umask", UMASK_BITS, None, sample="022", text="File mode mask; without it, the daemon's.",
)  # fmt: skip
PRIORITY = Option(
    "priority", INTEGER, 999, sample="999",
    text="Lower numbers start first and stop last.",
)  # fmt: skip
AUTOSTART = Option(
    "autostart", BOOLEAN, True, sample="true", text="Start with the daemon.",
)  # fmt: skip
STARTSECS = Option(
    "startsecs", INTEGER, 1, sample="1",
    text="Seconds the process must stay up before it counts as started.",
)  # fmt: skip
STARTRETRIES = Option(
    "startretries", INTEGER, 3, sample="3", text="How often a failed start is tried again.",
)  # fmt: skip
AUTORESTART = Option(
    "autorestart", AUTO_RESTART, AutoRestart.UNEXPECTED, sample="unexpected",
    text="Start again after an exit: true, false, or unexpected (see exitcodes).",
)  # fmt: skip
EXITCODES: Option[tuple[int, ...]] = Option(
    "exitcodes", EXIT_CODES, (0,), sample="0", text="Exit codes that are expected.",
)  # fmt: skip
USER_NAME: Option[int | None] = Option(
    "user", USER, None, sample="nobody", text="User to run as, by name or number.",
)  # fmt: skip
REDIRECT_STDERR = Option(
    "redirect_stderr", BOOLEAN, False, sample="true",
    text="Send standard error to wherever standard output goes.",
)  # fmt: skip
ENVIRONMENT = Option(
    "environment", TEXT, "", sample='A="1",B="2"', text="Variables added to its environment.",
)  # fmt: skip
SERVERURL: Option[str | None] = Option(
    "serverurl", TEXT, None, sample="AUTO",
    text="Value of SUPERVISOR_SERVER_URL for it; AUTO is the URL of our own server.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """The rows of one output stream."""

    logfile: Option[str]
    maxbytes: Option[int]
    backups: Option[int]
    capture: Option[int]
    events: Option[bool]
    syslog: Option[bool]

    def all(self) -> tuple[Option[object], ...]:
        """All rows, in the order of the manual."""
        return (
            self.logfile, self.maxbytes, self.backups, self.capture, self.events, self.syslog
        )  # fmt: skip


def _stream(name: str, words: str) -> StreamOptions:
    return StreamOptions(
        Option(
            f"{name}_logfile", CHILD_LOG, "AUTO", sample="/a/path",
            text=f"File for {words}; AUTO picks a name, NONE keeps nothing.",
        ),
        Option(
            f"{name}_logfile_maxbytes", BYTE_SIZE, 50 * 1024 * 1024, sample="50MB",
            text="Size at which it is rotated; 0 lets it grow.",
        ),
        Option(
            f"{name}_logfile_backups", COUNT, 10, sample="10",
            text="How many rotated files are kept.",
        ),
        Option(
            f"{name}_capture_maxbytes", BYTE_SIZE, 0, sample="1MB",
            text="Bytes kept of a message between the capture tokens; 0 switches capture off.",
        ),
        Option(
            f"{name}_events_enabled", BOOLEAN, False, sample="false", since="3.0a7",
            text=f"Make an event of what comes from {words}.",
        ),
        Option(
            f"{name}_syslog", BOOLEAN, False, sample="false", since="4.0.0",
            text=f"Send {words} to syslog too.",
        ),
    )  # fmt: skip


STDOUT = _stream("stdout", "standard output")
STDERR = _stream("stderr", "standard error")

PROGRAM_OPTIONS: tuple[Option[object], ...] = (
    COMMAND, PROCESS_NAME, NUMPROCS, NUMPROCS_START, DIRECTORY, UMASK, NO_NEW_PRIVS, PRIORITY,
    AUTOSTART, STARTSECS, STARTRETRIES, AUTORESTART, EXITCODES, *STOP_OPTIONS, USER_NAME,
    REDIRECT_STDERR,
    *STDOUT.all(), *STDERR.all(), ENVIRONMENT, SERVERURL,
)  # fmt: skip

PROGRAM = SectionType(
    "program:",
    PROGRAM_OPTIONS,
    text="A program to run.  A section with only a command is enough; these are the defaults and "
    "some examples.",
    example="theprogramname",
)
