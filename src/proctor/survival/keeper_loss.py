"""The keeper was killed: the daemon starts another one beside itself and goes on under it.

1. Nobody can become the parent of the programs that run.  They are handed to the new keeper, which
   watches and signals them through pidfds; their exit statuses are known where the kernel tells.
2. Their pipes, what is remembered of them and all sockets are handed over too, so the daemon may be
   killed and come back as before.  New programs are the new keeper's children, as ever.
3. The pid that users know is the new keeper's from now on; the pidfile says so.
4. When no keeper can be started, or each ends before it has said a word (its files are gone, say),
   that is tried again, less and less often.  Until then nothing can be started, nothing else is
   lost, and the pid that users know is the daemon's own: there is nobody else to signal.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from functools import partial

from proctor.core.names import make_namespec
from proctor.core.plan import ChildPipes
from proctor.daemon.process import Process
from proctor.daemon.supervisor import Supervisor
from proctor.keeper.foreign import tells_ends
from proctor.posix.keeper_host import KeeperHost
from proctor.posix.keeper_launch import start_beside

_FIRST_DELAY = 1.0
_LONGEST_DELAY = 60.0

_LOST = "its keeper was lost"
LEFT = "left by a supervisord that is gone"
_UNKNOWN = "its exit status may stay unknown"


class KeeperLoss:
    """`command` starts a daemon again, `open_files` are the limits of children.

    `moved(pid)` hears of the pid of each new keeper, after everything was handed over that can be
    at once; of our own while there is none.
    """

    def __init__(
        self,
        host: KeeperHost,
        supervisor: Supervisor,
        command: Sequence[str],
        open_files: tuple[int, int],
        *,
        moved: Callable[[int], None],
    ) -> None:
        self._host = host
        self._supervisor = supervisor
        self._log = supervisor.log
        self._command = list(command)
        self._open_files = open_files
        self._moved = moved
        self._loop = asyncio.get_running_loop()
        self._delay = _FIRST_DELAY
        self._timer: asyncio.TimerHandle | None = None

    def heard(self) -> None:
        """There is no keeper any more."""
        if not self._host.welcomed:
            self._try_later(f"another keeper (pid {self._host.keeper_pid}) has ended at once")
            return
        self._log.critical(
            f"the keeper (pid {self._host.keeper_pid}) is gone; programs run on"
            + ("" if tells_ends() else ", but how they end may stay unknown")
        )
        for process in self._supervisor.all_processes():
            if process.pid:
                tell_of_loss(process)
        self._delay = _FIRST_DELAY
        self._renew()

    def close(self) -> None:
        """The daemon ends."""
        if self._timer is not None:
            self._timer.cancel()

    def _renew(self) -> None:
        try:
            sock, pid = start_beside(self._command, self._open_files)
        except OSError as error:
            self._try_later(f"cannot start another keeper ({error.strerror})")
            return
        self._reap_later(pid)
        self._host.join(sock, pid)
        self._moved(pid)
        self._log.warn(f"another keeper runs with pid {pid}, which is our pid from now on")
        for process in self._supervisor.all_processes():
            if process.pid:
                process.copy_pipes(partial(self._hand_over, process.key, process.pid))

    def _try_later(self, trouble: str) -> None:
        self._log.critical(
            f"{trouble}: nothing can be started; trying again in {self._delay:g} seconds"
        )
        self._timer = self._loop.call_later(self._delay, self._renew)
        self._delay = min(2 * self._delay, _LONGEST_DELAY)
        self._moved(os.getpid())

    def _hand_over(self, key: str, pid: int, pipes: ChildPipes) -> None:
        self._host.hand_over_pipes(key, pid, pipes)

    def _reap_later(self, pid: int) -> None:
        """It is our child, so if it ends too it must not stay as a zombie."""
        watch = os.pidfd_open(pid)

        def ended() -> None:
            self._loop.remove_reader(watch)
            os.close(watch)
            os.waitpid(pid, os.WNOHANG)

        self._loop.add_reader(watch, ended)


def meaning_of_loss(process: Process) -> str:
    """What `status` means by it and what to do, in sentences; "" while its keeper is there."""
    told = process.remark()
    if _LOST in told:
        lost = "Its keeper was lost: the process that is the parent of all programs was killed."
        parent = "the new keeper"
    elif LEFT in told:
        lost, parent = "The supervisord that started it was killed.", "the present one"
    else:
        return ""
    unknown = "" if tells_ends() else ", but how it ends may stay unknown"
    return (
        f"{lost}  It runs on and is watched and signalled as before{unknown}; its next start, such"
        f" as `supervisorctl restart {make_namespec(process.group_name, process.name)}`, makes it"
        f" a child of {parent}."
    )


def tell_of_loss(process: Process, *, orphan: bool = False) -> None:
    """Let `status` say it, as long as this child of it runs.

    `orphan`: all that had minded it was killed, and there may never have been a keeper.
    """
    before, pid = process.remark, process.pid
    lost = LEFT if orphan else _LOST
    text = lost if tells_ends() else f"{lost}, {_UNKNOWN}"

    def remark() -> str:
        said = before()
        if process.pid != pid or text in said:
            return said
        return f"{said}, {text}" if said else text

    process.remark = remark
