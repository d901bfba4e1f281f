"""Rows of [supervisord].  Source: compat config.md, section 6."""

from __future__ import annotations

from proctor.config.convert import (
    BOOLEAN,
    BYTE_SIZE,
    COUNT,
    DIRECTORY,
    FILE_PATH,
    HANG_UP,
    INTEGER,
    JOURNAL,
    LOG_LEVEL,
    ON_ORPHAN,
    TEXT,
    UMASK_BITS,
    USER,
)
from proctor.config.table import Option, SectionType

LOGFILE = Option(
    "logfile", FILE_PATH, "supervisord.log", flag="-l", sample="/tmp/supervisord.log",
    in_sample=True,
    text="File of the daemon's own log; `syslog` sends it there instead.",
)  # fmt: skip
LOGFILE_MAXBYTES = Option(
    "logfile_maxbytes", BYTE_SIZE, 50 * 1024 * 1024, flag="-y", sample="50MB", in_sample=True,
    text="Size at which that log is rotated; 0 lets it grow.",
)  # fmt: skip
LOGFILE_BACKUPS = Option(
    "logfile_backups", COUNT, 10, flag="-z", sample="10", in_sample=True,
    text="How many rotated logs are kept; 0 keeps none.",
)  # fmt: skip
LOGLEVEL = Option(
    "loglevel", LOG_LEVEL, "info", flag="-e", sample="info", in_sample=True,
    text="What is worth a line: critical, error, warn, info, debug, trace or blather.",
)  # fmt: skip
PIDFILE = Option(
    "pidfile", FILE_PATH, "supervisord.pid", flag="-j", sample="/tmp/supervisord.pid",
    in_sample=True,
    text="File that holds the daemon's process id while it runs.",
)  # fmt: skip
NODAEMON = Option(
    "nodaemon", BOOLEAN, False, flag="-n", sample="false", in_sample=True,
    text="Stay in the foreground.",
)  # fmt: skip
SILENT = Option(
    "silent", BOOLEAN, False, flag="-s", sample="false", in_sample=True, since="4.2.0",
    text="In the foreground: keep the log off standard output.",
)  # fmt: skip
MINFDS = Option(
    "minfds", INTEGER, 1024, flag="-a", sample="1024", in_sample=True,
    text="File descriptors that must be available before anything starts.",
)  # fmt: skip
MINPROCS = Option(
    "minprocs", INTEGER, 200, long_flag=True, sample="200", in_sample=True,
    text="Processes that must be available before anything starts.",
)  # fmt: skip
UMASK = Option(
    "umask", UMASK_BITS, 0o022, flag="-m", sample="022",
    text="File mode mask of the daemon; used only when it goes into the background.",
)  # fmt: skip
USER_NAME: Option[int | None] = Option(
    "user", USER, None, flag="-u", sample="nobody",
    text="User to become after a start as root, by name or number.",
)  # fmt: skip
IDENTIFIER = Option(
    "identifier", TEXT, "supervisor", flag="-i", sample="supervisor",
    text="Name of this daemon, for event listeners and the names of AUTO logs.",
)  # fmt: skip
DIRECTORY_OPTION: Option[str | None] = Option(
    "directory", DIRECTORY, None, flag="-d", sample="/tmp",
    text="Directory to change to; used only when the daemon goes into the background.",
)  # fmt: skip
NOCLEANUP = Option(
    "nocleanup", BOOLEAN, False, flag="-k", sample="true",
    text="Keep the AUTO logs of earlier runs instead of deleting them at start.",
)  # fmt: skip
CHILDLOGDIR: Option[str | None] = Option(
    "childlogdir", DIRECTORY, None, flag="-q", sample="/tmp",
    text="Directory of AUTO logs; without it, the directory for temporary files.",
)  # fmt: skip
ENVIRONMENT = Option(
    "environment", TEXT, "", sample='KEY="value"',
    text="Variables for all programs; a program's own environment goes over them.",
)  # fmt: skip
STRIP_ANSI = Option(
    "strip_ansi", BOOLEAN, False, flag="-t", sample="false",
    text="Remove colours and other terminal codes from what programs write to their logs.",
)  # fmt: skip
KEEPER = Option(
    "keeper", BOOLEAN, True, sample="true", since="Proctor 0.1",
    text="Let a small process of its own be the parent of all programs, so that they and their "
    "logs survive a crash of the daemon.",
)  # fmt: skip
ON_ORPHAN_OPTION = Option(
    "on_orphan", ON_ORPHAN, "adopt", sample="adopt", since="Proctor 0.1",
    text="What a start does with programs that outlived both supervisord and its keeper: `adopt` "
    "goes on with them, `kill` ends them and starts them anew, `leave` lets them be "
    "and starts nothing beside them.",
)  # fmt: skip
HUP = Option(
    "hup", HANG_UP, "restart", sample="apply", since="Proctor 0.1",
    text="What SIGHUP does: `restart` stops everything and starts again, `apply` changes only what "
    "differs in the files.",
)  # fmt: skip
AUDIT = Option(
    "audit", BOOLEAN, True, sample="true", since="Proctor 0.1",
    text="Write a line to the log for each change that somebody asks for: who, what, and its fate.",
)  # fmt: skip
METRICS = Option(
    "metrics", BOOLEAN, True, sample="true", since="Proctor 0.1",
    text="Answer /metrics on every server, for Prometheus.",
)  # fmt: skip
JOURNAL_FILE = Option(
    "journal", JOURNAL, "AUTO", sample="AUTO", since="Proctor 0.1",
    text="File in which every start, end and change of state is written down with its cause, for "
    "`why` and `history`; AUTO puts it beside the log (or the pidfile), NONE keeps none.",
)  # fmt: skip
JOURNAL_MAXBYTES = Option(
    "journal_maxbytes", BYTE_SIZE, 20 * 1024 * 1024, sample="20MB", since="Proctor 0.1",
    text="Size beyond which the oldest entries of the journal are forgotten; 0 keeps all.",
)  # fmt: skip
JOURNAL_MAXDAYS = Option(
    "journal_maxdays", COUNT, 90, sample="90", since="Proctor 0.1",
    text="Days after which an entry of the journal is forgotten; 0 keeps all.",
)  # fmt: skip
UPGRADE_TIMEOUT = Option(
    "upgrade_timeout", COUNT, 30, sample="30", since="Proctor 0.1",
    text="Seconds in which a new version has to be healthy after an upgrade; if it is not, the old "
    "one goes on.",
)  # fmt: skip

SUPERVISORD = SectionType(
    "supervisord",
    (
        LOGFILE, LOGFILE_MAXBYTES, LOGFILE_BACKUPS, LOGLEVEL, PIDFILE, NODAEMON, SILENT, MINFDS,
        MINPROCS, UMASK, USER_NAME, IDENTIFIER, DIRECTORY_OPTION, NOCLEANUP, CHILDLOGDIR,
        ENVIRONMENT, STRIP_ANSI, KEEPER, ON_ORPHAN_OPTION, HUP, UPGRADE_TIMEOUT, AUDIT, METRICS,
        JOURNAL_FILE, JOURNAL_MAXBYTES, JOURNAL_MAXDAYS,
    ),
    text="The daemon itself.",
    in_sample=True,
)  # fmt: skip
