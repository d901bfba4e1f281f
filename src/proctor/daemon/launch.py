"""Launch: from "start a child" to the request to the host, in four steps.

Find the program, open the logs, open the FastCGI socket, ask the host.  The two in the middle may
block and happen in the drain thread; whoever is not wanted any more when they are done is not
spawned.  Source: compat process.md, section 4.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from dataclasses import dataclass

from proctor.core.faults import Fault
from proctor.core.plan import SpawnFailure, SpawnPlan
from proctor.core.spec import ProcessSpec
from proctor.daemon import words
from proctor.daemon.command import Command, child_environment, resolve
from proctor.daemon.fastcgi import SharedSocket
from proctor.daemon.host import ChildSink
from proctor.daemon.output import Output
from proctor.daemon.surroundings import Job, Surroundings
from proctor.posix.users import identity


@dataclass(slots=True)
class Launch:
    """One attempt to start one process.

    `wanted` is asked before the last step; `failed` hears why there will be no child.  What happens
    later is done through `submit`, as jobs of the process.
    """

    spec: ProcessSpec
    key: str
    around: Surroundings
    output: Output
    socket: SharedSocket | None
    sink: ChildSink
    wanted: Callable[[], bool]
    failed: Callable[[str], None]
    submit: Callable[[Job], None]

    def begin(self) -> None:
        """The first step; the others follow by themselves."""
        try:
            command = resolve(self.spec)
        except Fault as fault:
            self.failed(fault.detail)
            return

        def opened(error: OSError | None) -> None:
            self.submit(lambda: self._logs_opened(command, error))

        self.output.open(opened)

    def _logs_opened(self, command: Command, error: OSError | None) -> None:
        if error is not None:
            failure = SpawnFailure("log", error.errno or errno.EIO)
            self.failed(words.spawn_failure(self.spec.name, failure))
            return
        if self.socket is None:
            self._spawn(command, None)
            return

        def acquired(fd: int | str) -> None:
            self.submit(lambda: self._spawn(command, fd))

        self.socket.acquire(self.key, acquired)

    def _spawn(self, command: Command, socket_fd: int | str | None) -> None:
        if isinstance(socket_fd, str):
            self.failed(socket_fd)
        elif not self.wanted():
            self.failed("a stop came first")
        else:
            self.around.host.spawn(self._plan(command, socket_fd), self.sink)

    def _plan(self, command: Command, socket_fd: int | None) -> SpawnPlan:
        spec = self.spec
        gid: int | None = None
        groups: tuple[int, ...] = ()
        uid = None if spec.uid == os.getuid() else spec.uid
        if uid is not None:
            try:
                who = identity(uid)
                gid, groups = who.gid, who.groups
            except KeyError:
                # The spawner says so, where people look for it: in the process's own log.
                pass
        return SpawnPlan(
            key=self.key,
            filename=command.filename,
            argv=command.argv,
            environment=child_environment(spec, self.around.server_url),
            directory=spec.directory,
            umask=spec.umask,
            uid=uid,
            gid=gid,
            groups=groups,
            redirect_stderr=spec.redirect_stderr,
            socket_fd=socket_fd,
            note=json.dumps(self.output.auto_logs()),
        )
