"""ProcessSpec and GroupSpec: what is to be supervised, as configured.

Everything is frozen and compared by value: equal specs mean that an update has nothing to do.  A
spec is replaced whole, never edited.  Fields with `compare=False` may change without a process
being restarted.
"""

from __future__ import annotations

from dataclasses import field
from enum import Enum

from proctor.core.values import dataclass


class AutoRestart(Enum):
    """What to do after an exit from RUNNING (compat process.md, section 5)."""

    NEVER = "false"
    ALWAYS = "true"
    UNEXPECTED = "unexpected"


class ProcessKind(Enum):
    """Which section a process came from."""

    PROGRAM = "program"
    LISTENER = "eventlistener"
    FASTCGI = "fcgi-program"


class LogKind(Enum):
    """Where a stream's log goes: a named file, a file Proctor names, or nowhere."""

    FILE = "file"
    AUTO = "auto"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class StartPolicy:
    """When to start, what counts as started (seconds), how often to try, when to start again."""

    autostart: bool = True
    startsecs: int = 1
    startretries: int = 3
    autorestart: AutoRestart = AutoRestart.UNEXPECTED
    exitcodes: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class StopPolicy:
    """Which signal asks a process to end, and how many seconds it has before SIGKILL.

    `tree`: it has not ended before all that comes from it has; SIGKILL goes to all of that, and the
    stop signal too if `stopasgroup`.
    """

    stopsignal: int = 15
    stopwaitsecs: int = 10
    stopasgroup: bool = False
    killasgroup: bool = False
    tree: bool = False


@dataclass(frozen=True, slots=True)
class OutputPolicy:
    """Where one output stream goes.

    `path` is set only for LogKind.FILE; sizes are bytes, 0 = no limit.  `capture_maxbytes` 0
    switches capture mode off.
    """

    kind: LogKind = LogKind.AUTO
    path: str | None = None
    maxbytes: int = 50 * 1024 * 1024
    backups: int = 10
    capture_maxbytes: int = 0
    events_enabled: bool = False
    syslog: bool = False


@dataclass(frozen=True, slots=True)
class SocketSpec:
    """The listening socket of a FastCGI program; `url` is tcp://host:port or unix:///path.

    `owner` is (uid, gid), -1 = leave alone; owner and mode apply to unix sockets only; backlog None
    = the maximum of the operating system.
    """

    url: str
    backlog: int | None = None
    owner: tuple[int, int] | None = None
    mode: int | None = None


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """The event listener pool of an [eventlistener:x]: what it hears and how much it buffers.

    `result_handler` is a `module:attribute` spec; None means the standard handler.
    `events_with_bytes` adds the length in bytes to the header; `restart_on_violation` starts a
    listener again that broke the protocol.
    """

    events: tuple[str, ...]
    buffer_size: int = 10
    result_handler: str | None = None
    events_with_bytes: bool = False
    restart_on_violation: bool = False


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process as configured.

    `environment` holds what the configuration adds ([supervisord] environment under the program's
    own), not what is inherited.  `serverurl` None means AUTO.  `uid` None means: do not switch.
    `origin` is file:line.
    """

    name: str
    group: str
    command: str
    kind: ProcessKind = ProcessKind.PROGRAM
    directory: str | None = None
    umask: int | None = None
    priority: int = 999
    uid: int | None = None
    environment: tuple[tuple[str, str], ...] = ()
    serverurl: str | None = None
    redirect_stderr: bool = False
    no_new_privs: bool = False
    start: StartPolicy = StartPolicy()
    stop: StopPolicy = StopPolicy()
    stdout: OutputPolicy = OutputPolicy()
    stderr: OutputPolicy = OutputPolicy()
    socket: SocketSpec | None = None
    origin: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class GroupSpec:
    """Processes that share a name and a priority, in the order in which they are created.

    `kind` LISTENER goes with a `pool`.  A [group:x] of programs is PROGRAM, whatever its members
    are.
    """

    name: str
    priority: int = 999
    kind: ProcessKind = ProcessKind.PROGRAM
    processes: tuple[ProcessSpec, ...] = ()
    pool: PoolSpec | None = None
    origin: str = field(default="", compare=False)
