"""Launch: from "start a child" to the request to the host, in four steps.

Find the program, open the FastCGI socket, open the logs, ask the host.  Sockets, logs and the
look-up of the user may block and happen in the drain thread; up to the last step, the launch can be
cancelled.  Source: compat
process.md, section 4.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from contextlib import suppress

from proctor.core.faults import Fault
from proctor.core.plan import SpawnFailure, SpawnPlan
from proctor.core.spec import ProcessSpec
from proctor.core.values import dataclass
from proctor.daemon import words
from proctor.daemon.command import Command, child_environment, resolve
from proctor.daemon.fastcgi import SharedSocket
from proctor.daemon.host import ChildSink
from proctor.daemon.output import Output
from proctor.daemon.surroundings import Job, Surroundings
from proctor.posix.users import Identity, identity


@dataclass(slots=True)
class Launch:
    """One attempt to start one process.

    `failed` hears why there will be no child.  What happens later is done through `submit`, as jobs
    of the process.
    """

    spec: ProcessSpec
    key: str
    around: Surroundings
    output: Output
    socket: SharedSocket | None
    sink: ChildSink
    failed: Callable[[str], None]
    submit: Callable[[Job], None]
    _user: Identity | None = None
    _socket_fd: int | str | None = None
    _host_asked: bool = False
    _cancelled: bool = False

    def begin(self) -> None:
        """The first step; the others follow by themselves."""
        try:
            command = resolve(self.spec)
        except Fault as fault:
            self.failed(fault.detail)
            return

        # The drain thread answers in the order in which it is asked, so the descriptor comes first,
        # and children start in the order of their launches.  Only a restart whose logs were opened
        # while the end was told (`Output.prepare`) need not wait for others.
        if self.socket is not None:
            self.socket.acquire(self.key, self._acquired)
        if _needs_look_up(self.spec):
            self.around.drain.call(self._look_up_user, lambda _: None)
        self.output.open(lambda error: self.submit(lambda: self._spawn(command, error)))

    def cancel(self) -> bool:
        """There need be no child any more.  False when the host was asked for it already.

        Does not wait for a log disk that is frozen; `failed` is not called any more.
        """
        self._cancelled = not self._host_asked
        return self._cancelled

    def _look_up_user(self) -> None:
        # Who is unknown is so to the spawner too: it says so in the process's own log.
        with suppress(KeyError):
            self._user = identity(self.spec.uid or 0)

    def _acquired(self, fd: int | str) -> None:
        self._socket_fd = fd

    def _spawn(self, command: Command, error: OSError | None) -> None:
        fd = self._socket_fd
        if self._cancelled:
            self.output.abandon()
        elif error is not None:
            self._say_which(error)
            failure = SpawnFailure("log", error.errno or errno.EIO)
            self.failed(words.spawn_failure(self.spec.name, failure))
        elif isinstance(fd, str):
            self.failed(fd)
        else:
            self._host_asked = True
            self.around.host.spawn(self._plan(command, fd), self.sink)

    def _say_which(self, error: OSError) -> None:
        """The words for status and log are the original's, which name no file."""
        if error.filename is not None:
            self.around.log.warn(
                f"cannot open {error.filename} for '{self.spec.name}': {error.strerror}"
            )

    def _plan(self, command: Command, socket_fd: int | None) -> SpawnPlan:
        spec, user = self.spec, self._user
        return SpawnPlan(
            key=self.key,
            filename=command.filename,
            argv=command.argv,
            environment=child_environment(spec, self.around.server_url),
            directory=spec.directory,
            umask=spec.umask,
            uid=None if spec.uid == os.getuid() else spec.uid,
            gid=user.gid if user else None,
            groups=user.groups if user else (),
            redirect_stderr=spec.redirect_stderr,
            no_new_privs=spec.no_new_privs,
            socket_fd=socket_fd,
            note=json.dumps(self.output.auto_logs()),
            tree=self._tree() if spec.stop.tree else "",
        )

    def _tree(self) -> str:
        """No other supervisor on this machine has this name; the pid is that of the keeper."""
        return f"{self.around.settings.identifier}.{self.around.pid}/{self.key}"


def needs_only_logs(spec: ProcessSpec, socket: SharedSocket | None) -> bool:
    """Whether nothing else has to be asked of the drain thread before the host is."""
    return socket is None and not _needs_look_up(spec)


def _needs_look_up(spec: ProcessSpec) -> bool:
    return spec.uid not in (None, os.getuid())
