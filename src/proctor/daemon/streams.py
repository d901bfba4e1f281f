"""What a process is told and what it says: its stdin, its output and its logs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from proctor.core.faults import Fault, FaultCode
from proctor.core.plan import ChildPipes
from proctor.core.spec import ProcessSpec
from proctor.core.states import ProcessState
from proctor.daemon.output import Listener, Output
from proctor.daemon.seen import Seen
from proctor.daemon.stdin import InputChannel
from proctor.daemon.surroundings import Surroundings
from proctor.daemon.volume import Volume
from proctor.posix.logmarks import Mark

_STOPPING = ProcessState.STOPPING


class Streams(Seen):
    """The part of a Process that has the pipes of its child.  `paths` are its log files, by
    channel."""

    def __init__(
        self, spec: ProcessSpec, around: Surroundings, paths: Mapping[str, str | None]
    ) -> None:
        super().__init__(spec, paths)
        self._around = around
        self._output = Output(spec, paths, around)
        self._stdin: InputChannel | None = None

    @property
    def twin(self) -> int:
        """The pid of a run of it that is not ours and goes on (on_orphan=leave), 0 for none."""
        pid_of = self._around.twins.get(self.key)
        return 0 if pid_of is None else pid_of()

    @property
    def log_marks(self) -> Mapping[str, Mark]:
        """Where in its logs the present or the last run begins, by channel."""
        return self._output.marks

    @property
    def volumes(self) -> Mapping[str, Volume]:
        """How much came out of its streams since the daemon began, by channel."""
        return self._output.volumes()

    def listen(self, channel: str, listener: Listener) -> None:
        """Let `listener` hear what the process writes to `stdout` or `stderr`, from the next spawn
        on."""
        self._output.listeners[channel] = listener

    def copy_pipes(self, done: Callable[[ChildPipes], None]) -> None:
        """Call `done` with copies of our ends of its child's pipes."""

        def copied(fds: dict[str, int]) -> None:
            stdin = None if self._stdin is None else self._stdin.copy()
            done(ChildPipes(stdin, fds.get("stdout"), fds.get("stderr")))

        self._output.copy(copied)

    def let_go(self) -> None:
        """Close our ends of the pipes to the child; another daemon has its own."""
        if self._stdin is not None:
            self._stdin.close()
        self._output.let_go()

    def write_stdin(self, data: bytes) -> None:
        """Send `data` to the child's stdin.  Raises Fault NOT_RUNNING; NO_FILE without stdin."""
        lifecycle = self.lifecycle
        if not lifecycle.pid or lifecycle.state is _STOPPING:
            raise Fault(FaultCode.NOT_RUNNING, self.key)
        if self._stdin is None:
            raise Fault(FaultCode.NO_FILE, self.key)
        self._stdin.write(data)

    def clear_logs(self, done: Callable[[OSError | None], None]) -> None:
        """Empty its log files, whether it runs or not; `done` hears how that went."""
        self._output.clear(done)

    def reopen_logs(self) -> None:
        """Open its log files anew by their names."""

        def done(problem: OSError | None) -> None:
            if problem is not None:
                self._around.log.error(f"cannot reopen the logs of '{self.name}': {problem}")

        self._output.reopen(done)

    def _take_stdin(self, stdin: int | None) -> None:
        self._stdin = None if stdin is None else InputChannel(self._around.host, stdin)

    def _close_stdin(self) -> None:
        if self._stdin is not None:
            self._stdin.close()
            self._stdin = None
