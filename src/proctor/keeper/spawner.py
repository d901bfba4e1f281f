"""An order -> a child with its pipes.  Two ways, one result (decisions.md, sections 0 and 2).

1. Quickly: posix_spawn(3), with this process's own directory, umask and limit on open files
   changed around the call.  20 times cheaper than a fork.  Only where no other thread could notice
   (`alone`), and not into a control group (docs/decisions: we never enter one ourselves).
2. Carefully: fork, then one system call after the other.  For another user or no_new_privs, and
   whenever the quick
   way failed for any reason: then the careful way fails too, but in the child, which writes the
   text that people know to its own stderr and ends with status 127 (compat process.md,
   4.3).  Nobody waits for it.

What every child gets: a process group of its own; fds 0, 1 and 2 and nothing else (all other
descriptors are close-on-exec); SIGPIPE and SIGXFSZ ignored (gotcha G27), every other signal at its
default, none blocked; the limit on open files that the supervisor was started with or has set for
its children.
"""

from __future__ import annotations

import errno
import os
import resource

from proctor.keeper.newborn import ALL_SIGNALS, DEFAULTED, become
from proctor.keeper.order import Order
from proctor.keeper.pipes import Ends, SpawnError, Streams
from proctor.keeper.thin import signals

# What a service manager says to us only: a program would answer it in our name.
_OURS = frozenset({b"NOTIFY_SOCKET", b"WATCHDOG_USEC", b"WATCHDOG_PID"})


class Spawner:
    """Makes children of this process.

    `environment` is what every child starts from.  `alone`: nobody else in this process minds its
    directory and umask being changed for a moment.  `open_files` is the (soft, hard) limit
    children get; None: ours.
    """

    def __init__(
        self,
        environment: dict[bytes, bytes],
        alone: bool,
        open_files: tuple[int, int] | None = None,
    ) -> None:
        fill_standard_streams()
        _keep_descriptors_to_ourselves()
        self._daemons = environment
        self._environment = {name: environment[name] for name in environment if name not in _OURS}
        self._alone = alone
        self.open_files = open_files
        self._home = _open_here() if alone else None

    def spawn(
        self, order: Order, socket_fd: int | None = None, door: int | None = None
    ) -> tuple[int, Streams]:
        """A new child's pid and our ends of its pipes.  Raises SpawnError.

        `socket_fd` stays open here.  `door` leads into the control group that the child enters.

        What fails in the child itself (user, directory, program) is no error here: see the head of
        this file.
        """
        ends = Ends(order, socket_fd)
        try:
            quick = None if door is not None else self._quickly(order, ends)
            pid = quick or self._carefully(order, ends, door)
        except OSError as error:
            ends.give_up()
            raise SpawnError("fork", error.errno or errno.EIO) from None
        except BaseException:
            ends.give_up()
            raise
        ends.close_theirs()
        return pid, ends.ours

    def spawn_daemon(self, command: list[str], added: dict[bytes, bytes]) -> int:
        """The pid of a new daemon: in a process group of its own, with our own standard streams.

        `added` goes into its environment.  Raises OSError.
        """
        ours = self._limit_open_files()
        try:
            return os.posix_spawn(
                command[0],
                command,
                {**self._daemons, **added},
                setpgroup=0,
                setsigmask=(),
                # In the background of a terminal a daemon that logs to it must not be stopped for
                # that.
                setsigdef=[signum for signum in DEFAULTED if signum != signals.SIGTTOU],
            )
        finally:
            self._put_back(ours)

    def _quickly(self, order: Order, ends: Ends) -> int | None:
        """The child's pid; None when this way is closed, or failed: the careful one says why."""
        moves = order.directory is not None or order.umask is not None
        if order.needs_another_user or order.no_new_privs or (moves and not self._alone):
            return None
        if order.directory is not None and self._home is None:
            return None
        umask = None
        try:
            if order.directory is not None:
                os.chdir(order.directory)
            if order.umask is not None:
                umask = os.umask(order.umask)
            return self._posix_spawn(order, ends)
        except (OSError, ValueError):
            return None
        finally:
            if umask is not None:
                os.umask(umask)
            if order.directory is not None and self._home is not None:
                _go_back(self._home)

    def _posix_spawn(self, order: Order, ends: Ends) -> int:
        environment = order.environment_over(self._environment)
        ours = self._limit_open_files()
        try:
            return os.posix_spawn(
                order.filename,
                order.argv,
                environment,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(ends.theirs)
                ],
                setpgroup=0,
                setsigmask=(),
                setsigdef=DEFAULTED,
            )
        finally:
            self._put_back(ours)

    def _limit_open_files(self) -> tuple[int, int] | None:
        """Take on the children's limit; our own, to be put back, or None: nothing was changed."""
        if self.open_files is None:
            return None
        ours = resource.getrlimit(resource.RLIMIT_NOFILE)
        # Only the soft limit: a lowered hard one could not be raised again by an ordinary user.
        resource.setrlimit(resource.RLIMIT_NOFILE, (self.open_files[0], ours[1]))
        return ours

    def _put_back(self, ours: tuple[int, int] | None) -> None:
        if ours is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, ours)

    def _carefully(self, order: Order, ends: Ends, door: int | None) -> int:
        """The child's pid.  Raises OSError when fork(2) fails."""
        # A signal that came before the child has put the handlers back would run ours in there.
        mask = signals.pthread_sigmask(signals.SIG_BLOCK, ALL_SIGNALS)
        try:
            pid = os.fork()
            if pid == 0:
                become(order, ends.theirs, self._environment, self.open_files, door)
        finally:
            signals.pthread_sigmask(signals.SIG_SETMASK, mask)
        # The child does it too; whoever comes first, a signal to the group cannot miss it.
        try:  # noqa: SIM105  contextlib would cost the keeper 0.13 MB
            os.setpgid(pid, pid)
        except OSError:
            pass
        return pid


def fill_standard_streams() -> None:
    """Open /dev/null on those of fds 0, 1 and 2 that are closed, or pipes would land there."""
    while (fd := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(fd, True)
    os.close(fd)


def _keep_descriptors_to_ourselves() -> None:
    """What we inherited above 0, 1 and 2 goes to no child; what Python opens does not anyway."""
    for name in os.listdir("/dev/fd"):
        if int(name) > 2:
            try:
                os.set_inheritable(int(name), False)
            except OSError:  # the descriptor of the listing itself
                continue


def _open_here() -> int | None:
    """A descriptor of the working directory to come back to; None when there is no coming back."""
    try:
        fd = os.open(".", getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        os.fchdir(fd)
    except OSError:
        os.close(fd)
        return None
    return fd


def _go_back(home: int) -> None:
    try:
        os.fchdir(home)
    except OSError:
        # Somebody took our right to enter it away meanwhile.  The root is as good a place, and the
        # child lives.
        os.chdir("/")
