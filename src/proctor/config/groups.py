"""Sections to GroupSpecs: groups of programs, pools of listeners, FastCGI sockets.

1. A program that a [group:x] names has no group of its own; it may be in several groups.
2. Groups are sorted by (priority, name); of two with one name the first stays, and we say so.
3. Processes of a section are sorted by (priority, name); those of a [group:x] keep the order of
   `programs=`.

Source: compat config.md, sections 4, 9, 10 and 13.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from proctor.config.convert import process_or_group_name
from proctor.config.ini import Section, Sections
from proctor.config.options import program as rows
from proctor.config.options import special
from proctor.config.plugins import check_factory
from proctor.config.programs import Program
from proctor.config.reader import Context, Reader
from proctor.config.table import did_you_mean
from proctor.core.events import PARENTS
from proctor.core.spec import (
    GroupSpec,
    PoolSpec,
    ProcessKind,
    ProcessSpec,
    SocketSpec,
)

_PREFIXES = {
    ProcessKind.PROGRAM: "program:",
    ProcessKind.LISTENER: "eventlistener:",
    ProcessKind.FASTCGI: "fcgi-program:",
}


def build_groups(
    sections: Sections, inherited: tuple[tuple[str, str], ...], context: Context
) -> tuple[GroupSpec, ...]:
    """Every group there is to be.  `inherited`: the environment of [supervisord]."""
    builder = _Builder(sections, dict(inherited), context)
    groups = [builder.named_group(section) for section in sections.starting_with("group:")]
    for kind in (ProcessKind.PROGRAM, ProcessKind.LISTENER, ProcessKind.FASTCGI):
        groups += [
            builder.own_group(section, kind)
            for section in sections.starting_with(_PREFIXES[kind])
            if section.name not in builder.taken
        ]
    return _without_doubles(sorted(groups, key=lambda group: (group.priority, group.name)), context)


def _without_doubles(groups: Iterable[GroupSpec], context: Context) -> tuple[GroupSpec, ...]:
    kept: dict[str, GroupSpec] = {}
    for group in groups:
        if kept.setdefault(group.name, group) is not group:
            context.findings.warn(
                f"two groups are called {group.name!r}; {group.origin} is dropped, "
                f"{kept[group.name].origin} stays"
            )
    return tuple(kept.values())


class _Builder:
    """What the groups of one reading share; `taken` are the sections that are in a [group:x]."""

    def __init__(self, sections: Sections, inherited: Mapping[str, str], context: Context) -> None:
        self.taken: set[str] = set()
        self._sections = sections
        self._inherited = inherited
        self._context = context
        self._host = {"host_node_name": context.world.hostname}

    def named_group(self, section: Section) -> GroupSpec:
        """A [group:x] of programs that have their own sections."""
        reader = Reader(section, self._context)
        name = _name_of(reader)
        programs = reader.get(special.PROGRAMS)
        priority = reader.get(special.GROUP_PRIORITY)
        processes: list[ProcessSpec] = []
        for program in programs:
            found = self._find(reader, program)
            if found is not None:
                member, kind = found
                self.taken.add(member.name)
                processes += self._processes(member, kind, name)
        members = self._by_name(reader, processes)
        return GroupSpec(name, priority, processes=members, origin=str(section.place))

    def _find(self, reader: Reader, program: str) -> tuple[Section, ProcessKind] | None:
        where = f"[{reader.section.name}]"
        found = [
            (section, kind)
            for kind in (ProcessKind.PROGRAM, ProcessKind.FASTCGI)
            if (section := self._sections.get(_PREFIXES[kind] + program)) is not None
        ]
        if not found:
            known = [each.name.partition(":")[2] for each in self._sections.own()]
            text = f"{where} names unknown program or fcgi-program {program}"
            reader.fail(text, "programs", hint=did_you_mean(program, known))
            return None
        if len(found) > 1:
            text = f"{where} name {program} is ambiguous (exists as program and fcgi-program)"
            reader.fail(text, "programs", hint="rename one of the two sections")
        return found[0]

    def own_group(self, section: Section, kind: ProcessKind) -> GroupSpec:
        """The group that a program, a pool of listeners or a FastCGI program is by itself."""
        reader = Reader(section, self._context)
        name = _name_of(reader)
        pool = None
        if kind is ProcessKind.LISTENER:
            priority = reader.get(special.POOL_PRIORITY)
            pool = _pool(reader)
        else:
            priority = reader.get(rows.PRIORITY)
        processes = self._by_name(reader, self._processes(section, kind, name))
        return GroupSpec(name, priority, kind, processes, pool, str(section.place))

    def _by_name(self, reader: Reader, processes: Iterable[ProcessSpec]) -> tuple[ProcessSpec, ...]:
        """Names are unique in a group: as in the original, a later process replaces an earlier."""
        kept: dict[str, ProcessSpec] = {}
        for process in processes:
            if process.name in kept and kept[process.name] != process:
                where = f"[{reader.section.name}] has two processes called {process.name!r}"
                said = f"{where}; only the last, of {process.origin}, is run"
                self._context.findings.warn(said, reader.section.place)
            kept[process.name] = process
        return tuple(kept.values())

    def _processes(self, section: Section, kind: ProcessKind, group: str) -> list[ProcessSpec]:
        names = {
            **self._host,
            "program_name": section.name.partition(":")[2].strip(),
            "group_name": group,
        }
        suffix = f" in section {section.name!r} (file: {section.place.file!r})"
        socket = None
        if kind is ProcessKind.FASTCGI:
            socket = _socket(
                Reader(section, self._context, {"program_name": names["program_name"]})
            )
        reader = Reader(section, self._context, names, suffix)
        program = Program(reader, kind, group, socket, self._inherited)
        return sorted(program.processes(), key=lambda process: (process.priority, process.name))


def _name_of(reader: Reader) -> str:
    """The name behind the colon of a header."""
    try:
        return process_or_group_name(reader.section.name.partition(":")[2])
    except ValueError as error:
        reader.fail(str(error))
        return ""


def _pool(reader: Reader) -> PoolSpec:
    where = f"[{reader.section.name}]"
    buffer_size = reader.get(special.BUFFER_SIZE)
    if buffer_size < 1:
        text = f"{where} section sets invalid buffer_size ({buffer_size})"
        reader.fail(text, "buffer_size", "a number of events, at least 1")
    handler = reader.get(special.RESULT_HANDLER)
    if handler != special.DEFAULT_RESULT_HANDLER:
        check_factory(reader, handler, "result_handler")
    events = tuple(event.upper() for event in reader.get(special.EVENTS))
    if not events:
        reader.fail(f'{where} section requires an "events" line', "events")
    for event in events:
        if event not in PARENTS and event != "EVENT":
            text = f"Unknown event type {event} in {where} events"
            hint = did_you_mean(event, PARENTS)
            reader.fail(text, "events", "names of events with commas between them", hint)
    if reader.get(rows.REDIRECT_STDERR):
        text = (
            f"{where} section sets redirect_stderr=true but this is not allowed because it will "
            "interfere with the eventlistener protocol"
        )
        reader.fail(text, "redirect_stderr")
    standard = handler == special.DEFAULT_RESULT_HANDLER
    return PoolSpec(
        events,
        buffer_size,
        None if standard else handler,
        reader.get(special.EVENTS_WITH_BYTES),
        reader.get(special.RESTART_ON_VIOLATION),
    )


def _socket(reader: Reader) -> SocketSpec | None:
    world = reader.context.world
    uid = reader.get(rows.USER_NAME)
    backlog = reader.get(special.SOCKET_BACKLOG)
    if backlog is not None and not 1 <= backlog <= 65535:
        said = f"Invalid socket_backlog value {backlog}"
        reader.fail(said, "socket_backlog", "a whole number from 1 to 65535")
    owner, mode = reader.get(special.SOCKET_OWNER), reader.get(special.SOCKET_MODE)
    text = reader.text(special.SOCKET)
    where = f"[{reader.section.name}]"
    if not text:
        if text is not None or not reader.has(special.SOCKET):
            reader.fail(f'{where} section requires a "socket" line', "socket")
        return None
    try:
        special.SOCKET.kind.parse(text, world)
    except ValueError as error:
        reader.fail(f"{error} in {where} socket", "socket", special.SOCKET.kind.expected)
        return None
    if not text.startswith("unix:"):
        if owner is not None or mode is not None:
            said = (
                "socket_owner and socket_mode params should only be used with a Unix domain socket"
            )
            reader.fail(f"{said} in {where} socket", "socket")
        return SocketSpec(text, backlog)
    if owner is None and uid is not None and uid != world.uid:
        owner = world.user(str(uid))
    return SocketSpec(text, backlog, owner, 0o700 if mode is None else mode)
