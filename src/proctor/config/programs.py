"""One section to ProcessSpecs: numprocs, names, environment, where output goes.

Options are read in the original's order, so that the first mistake found is the one it would name.
Source: compat config.md, sections 4, 9 and 13.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from proctor.config.build import read_environment
from proctor.config.convert import process_or_group_name
from proctor.config.options import program as rows
from proctor.config.options.program import StreamOptions
from proctor.config.reader import Reader
from proctor.config.stopping import stop_policy, warn_if_negative
from proctor.core.spec import (
    LogKind,
    OutputPolicy,
    ProcessKind,
    ProcessSpec,
    SocketSpec,
    StartPolicy,
)


class Program:
    """One section that makes processes."""

    def __init__(
        self,
        reader: Reader,
        kind: ProcessKind,
        group: str,
        socket: SocketSpec | None,
        inherited: Mapping[str, str],
    ) -> None:
        self._reader = reader
        self._kind = kind
        self._group = group
        self._socket = socket
        self._inherited = inherited
        # Processes of one section mostly log alike: thousands of them share one policy.
        self._policies: dict[OutputPolicy, OutputPolicy] = {}

    def processes(self) -> list[ProcessSpec]:
        """All processes of the section, by number."""
        read = self._reader.get
        priority = read(rows.PRIORITY)
        start, stop = self._start(), stop_policy(self._reader)
        start = replace(start, exitcodes=read(rows.EXITCODES))
        redirect = read(rows.REDIRECT_STDERR)
        count, first = read(rows.NUMPROCS), read(rows.NUMPROCS_START)
        self._check_numprocs(count)
        if stop.stopasgroup and not stop.killasgroup:
            text = "Cannot set stopasgroup=true and killasgroup=false"
            self._reader.fail(text, "killasgroup")
        stdout, stderr = self._stream(rows.STDOUT), self._stream(rows.STDERR)
        serverurl = read(rows.SERVERURL)
        template = ProcessSpec(
            name="",
            group=self._group,
            command="",
            kind=self._kind,
            priority=priority,
            uid=read(rows.USER_NAME),
            umask=read(rows.UMASK),
            no_new_privs=read(rows.NO_NEW_PRIVS),
            serverurl=None if serverurl is None or serverurl.upper() == "AUTO" else serverurl,
            redirect_stderr=redirect and self._kind is not ProcessKind.LISTENER,
            start=start,
            stop=stop,
            stdout=stdout,
            stderr=stderr,
            socket=self._socket,
            origin=str(self._reader.section.place),
        )
        return [
            self._process(template, {"process_num": number, "numprocs": count})
            for number in range(first, first + count)
        ]

    def _start(self) -> StartPolicy:
        read = self._reader.get
        autostart, autorestart = read(rows.AUTOSTART), read(rows.AUTORESTART)
        startretries = read(rows.STARTRETRIES)
        warn_if_negative(
            self._reader, rows.STARTRETRIES, startretries, "no failed start is tried again"
        )
        return StartPolicy(autostart, read(rows.STARTSECS), startretries, autorestart)

    def _check_numprocs(self, count: int) -> None:
        reader = self._reader
        name = reader.raw(rows.PROCESS_NAME) or rows.PROCESS_NAME.default
        try:
            process_or_group_name(name)
        except ValueError as error:
            reader.fail(str(error), "process_name", rows.PROCESS_NAME.kind.expected)
        if count > 1 and "%(process_num)" not in name:
            reader.fail(
                "%(process_num) must be present within process_name when numprocs > 1",
                "process_name" if reader.has(rows.PROCESS_NAME) else "numprocs",
                hint="add process_name=%(program_name)s_%(process_num)02d",
            )
        if count < 1:
            reader.warn(f"[{reader.section.name}] numprocs={count}: nothing is run", "numprocs")

    def _stream(self, stream: StreamOptions) -> OutputPolicy:
        """What is the same for every process of the section."""
        read = self._reader.get
        capture, events = read(stream.capture), read(stream.events)
        return OutputPolicy(capture_maxbytes=capture, events_enabled=events)

    def _process(self, template: ProcessSpec, numbers: Mapping[str, object]) -> ProcessSpec:
        reader = self._reader
        text = reader.text(rows.ENVIRONMENT, numbers)
        own = dict(read_environment(reader, text)) if text is not None else {}
        names = {**numbers, **{f"ENV_{key}": value for key, value in own.items()}}
        directory = reader.get(rows.DIRECTORY, names)
        stdout = self._output(rows.STDOUT, template.stdout, names, redirected=False)
        redirected = template.redirect_stderr
        stderr = self._output(rows.STDERR, template.stderr, names, redirected)
        command = reader.get(rows.COMMAND, names)
        if command is None and not reader.has(rows.COMMAND):
            section = reader.section.name
            reader.fail(f"program section {section} does not specify a command", "command")
        return replace(
            template,
            name=self._process_name(names),
            command=command or "",
            environment=tuple({**self._inherited, **own}.items()),
            directory=directory,
            stdout=stdout,
            stderr=stderr,
        )

    def _process_name(self, names: Mapping[str, object]) -> str:
        text = self._reader.raw(rows.PROCESS_NAME)
        if text is None:
            return str(self._reader.names["program_name"])
        return self._reader.get(rows.PROCESS_NAME, names)

    def _output(
        self,
        stream: StreamOptions,
        common: OutputPolicy,
        names: Mapping[str, object],
        redirected: bool,
    ) -> OutputPolicy:
        reader = self._reader
        path = reader.get_twice(stream.logfile, names)
        backups, maxbytes = reader.get(stream.backups, names), reader.get(stream.maxbytes, names)
        syslog = reader.get(stream.syslog, names)
        self._warn_of_log(stream, path, maxbytes, redirected)
        if path == "SYSLOG":
            path, syslog = "NONE", True
        kinds = {"AUTO": LogKind.AUTO, "NONE": LogKind.NONE, "": LogKind.NONE}
        kind = LogKind.NONE if redirected else kinds.get(path, LogKind.FILE)
        policy = replace(
            common,
            kind=kind,
            path=path if kind is LogKind.FILE else None,
            maxbytes=maxbytes,
            backups=backups,
            syslog=syslog,
        )
        return self._policies.setdefault(policy, policy)

    def _warn_of_log(
        self, stream: StreamOptions, path: str, maxbytes: int, redirected: bool
    ) -> None:
        warn = self._reader.context.findings.warn
        where, key = f"For [{self._reader.section.name}], ", stream.logfile.name
        if path == "SYSLOG":
            warn(
                f"{where}{key}=syslog but this is deprecated and will be removed.  Use "
                f"{stream.syslog.name}=true to enable syslog instead."
            )
        elif redirected and path not in ("AUTO", "NONE", ""):
            warn(
                f"{where}redirect_stderr=true but {key} has also been set to a filename, "
                "the filename has been ignored"
            )
        elif path == "AUTO" and not redirected and maxbytes == 0:
            warn(
                f"{where}AUTO logging used for {key} without rollover, set maxbytes > 0 to avoid "
                "filling up filesystem unintentionally"
            )
