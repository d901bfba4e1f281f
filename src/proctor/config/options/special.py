"""Rows of [eventlistener:x], [fcgi-program:x], [group:x], [rpcinterface:x] and [include].

Source: compat config.md, sections 3 and 10.
"""

from __future__ import annotations

from proctor.config.convert import BOOLEAN, FILE_MODE, INTEGER, OWNER, SOCKET_URL, TEXT, WORDS
from proctor.config.kinds_of_logins import ROLE
from proctor.config.options.program import PROGRAM_OPTIONS
from proctor.config.table import Option, SectionType
from proctor.core.caller import Role

DEFAULT_RESULT_HANDLER = "supervisor.dispatchers:default_handler"
MAIN_RPCINTERFACE = "supervisor.rpcinterface:make_main_rpcinterface"

EVENTS: Option[tuple[str, ...]] = Option(
    "events", WORDS, (), sample="EVENT",
    text="Types of events it hears, with commas between them; EVENT is all of them.",
)  # fmt: skip
BUFFER_SIZE = Option(
    "buffer_size", INTEGER, 10, sample="10", text="Events that may wait for a free listener.",
)  # fmt: skip
POOL_PRIORITY = Option(
    "priority", INTEGER, -1, sample="-1", text="Lower numbers start first and stop last.",
)  # fmt: skip
RESULT_HANDLER = Option(
    "result_handler", TEXT, DEFAULT_RESULT_HANDLER, sample=DEFAULT_RESULT_HANDLER,
    text="What judges a listener's answers, as module:attribute.",
)  # fmt: skip
EVENTS_WITH_BYTES = Option(
    "events_with_bytes", BOOLEAN, False, sample="false", since="Proctor 0.1",
    text="Add a field bytes:n to the header, as len counts characters.",
)  # fmt: skip
RESTART_ON_VIOLATION = Option(
    "restart_on_violation", BOOLEAN, False, sample="false", since="Proctor 0.1",
    text="Start a listener again that broke the protocol; otherwise it gets no more events.",
)  # fmt: skip

SOCKET: Option[str | None] = Option(
    "socket", SOCKET_URL, None, sample="unix:///tmp/fcgi.sock",
    text="Socket its processes share: tcp://host:port or unix:///path.",
)  # fmt: skip
SOCKET_BACKLOG: Option[int | None] = Option(
    "socket_backlog", INTEGER, None, sample="1024", since="3.4.0",
    text="Connections that may wait; without it, as many as the system allows.",
)  # fmt: skip
SOCKET_OWNER: Option[tuple[int, int] | None] = Option(
    "socket_owner", OWNER, None, sample="nobody:nogroup", text="Owner of a unix socket.",
)  # fmt: skip
SOCKET_MODE: Option[int | None] = Option(
    "socket_mode", FILE_MODE, None, sample="0700", text="Mode of a unix socket.",
)  # fmt: skip

PROGRAMS: Option[tuple[str, ...]] = Option(
    "programs", WORDS, (), sample="progname1,progname2",
    text="Names of [program:x] or [fcgi-program:x] sections, with commas between them.",
)  # fmt: skip
GROUP_PRIORITY = Option(
    "priority", INTEGER, 999, sample="999", text="Lower numbers start first and stop last.",
)  # fmt: skip

RPC_FACTORY: Option[str | None] = Option(
    "supervisor.rpcinterface_factory", TEXT, None, sample=MAIN_RPCINTERFACE, in_sample=True,
    text="What to call, as module:attribute; it gets all other options as keyword arguments.",
)  # fmt: skip
RPC_ROLE: Option[Role | None] = Option(
    "proctor.role", ROLE, None, sample="admin", since="Proctor 0.1",
    text="What callers need for the methods of a plug-in: view, operate or, without it, admin.",
)  # fmt: skip
FILES: Option[str | None] = Option(
    "files", TEXT, None, sample="relative/directory/*.ini",
    text="Patterns of files to read too, relative to this one, with blanks between them.",
)  # fmt: skip

EVENTLISTENER = SectionType(
    "eventlistener:",
    (
        EVENTS, BUFFER_SIZE, RESULT_HANDLER, EVENTS_WITH_BYTES, RESTART_ON_VIOLATION,
        *(row if row.name != "priority" else POOL_PRIORITY for row in PROGRAM_OPTIONS),
    ),
    text="A program that is told of events.  All options of [program:x] work here too.",
    example="theeventlistenername",
)  # fmt: skip
FCGI_PROGRAM = SectionType(
    "fcgi-program:",
    (SOCKET, SOCKET_BACKLOG, SOCKET_OWNER, SOCKET_MODE, *PROGRAM_OPTIONS),
    text="A program that serves FastCGI.  All options of [program:x] work here too.",
    example="thefcgiprogramname",
)
GROUP = SectionType(
    "group:", (PROGRAMS, GROUP_PRIORITY), text="Programs under one name.", example="thegroupname",
)  # fmt: skip
RPCINTERFACE = SectionType(
    "rpcinterface:",
    (RPC_FACTORY, RPC_ROLE),
    text="What clients may ask the daemon for.  supervisorctl needs this section as it is.",
    example="supervisor",
    open_ended=True,
    in_sample=True,
)
INCLUDE = SectionType("include", (FILES,), text="More files to read.")
