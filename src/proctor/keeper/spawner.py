"""An order -> a child with its pipes.  Two ways, one result (decisions.md, sections 0 and 2).

1. Quickly: posix_spawn(3), with this process's own directory, umask and limit on open files
   changed around the call.  20 times cheaper than a fork.  Only where no other thread could notice
   (`alone`).
2. Carefully: fork, then one system call after the other.  For another user, and whenever the quick
   way failed for any reason: then the careful way fails too, but in the child, which writes the
   text that people know to its own stderr and ends with status 127 (compat process.md,
   4.3).  Nobody waits for it.

What every child gets: a process group of its own; fds 0, 1 and 2 and nothing else (all other
descriptors are close-on-exec); SIGPIPE and SIGXFSZ ignored (gotcha G27), every other signal at its
default, none blocked; the limit on open files that the supervisor was started with or has set for
its children.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import signal
from collections.abc import Iterable

from proctor.keeper.protocol import close_all

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing for real costs the keeper 0.6 MB
    from typing import NoReturn

_ALL = signal.valid_signals()
_LEFT_IGNORED = (signal.SIGPIPE, signal.SIGXFSZ)
_DEFAULTED = tuple(
    signum
    for signum in sorted(_ALL)
    if signum not in (signal.SIGKILL, signal.SIGSTOP, *_LEFT_IGNORED)
)


class Order:
    """A child to be made; the fields mean what core/plan.SpawnPlan says.

    Built from a message as it is.
    """

    __slots__ = (
        "argv", "directory", "environment", "filename", "gid", "groups", "key", "note",
        "redirect_stderr", "uid", "umask",
    )  # fmt: skip

    def __init__(
        self,
        *,
        key: str,
        filename: str,
        argv: Iterable[str],
        environment: Iterable[tuple[str, str]] = (),
        directory: str | None = None,
        umask: int | None = None,
        uid: int | None = None,
        gid: int | None = None,
        groups: Iterable[int] = (),
        redirect_stderr: bool = False,
        note: str = "",
    ) -> None:
        self.key = key
        self.filename = filename
        self.argv = tuple(argv)
        self.environment = tuple(environment)
        self.directory = directory
        self.umask = umask
        self.uid = uid
        self.gid = gid
        self.groups = tuple(groups)
        self.redirect_stderr = redirect_stderr
        self.note = note

    @property
    def needs_another_user(self) -> bool:
        """Whether the child must run as somebody else.

        Being asked for our own user changes nothing.
        """
        return self.uid is not None and self.uid != os.geteuid()


class SpawnError(Exception):
    """There is no child: the step that failed ("pipe" or "fork") and its errno."""

    def __init__(self, step: str, number: int) -> None:
        super().__init__(f"{step}: {os.strerror(number)}")
        self.step = step
        self.errno = number


class Streams:
    """Our ends of a child's pipes, non-blocking; None where there is none."""

    __slots__ = ("stderr", "stdin", "stdout")

    def __init__(self, stdin: int | None, stdout: int | None, stderr: int | None) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr

    def letters(self) -> str:
        """Which there are, as protocol.py spells it."""
        return "".join(letter for letter, fd in self._named() if fd is not None)

    def fds(self) -> list[int]:
        """Those there are, in the order of `letters`."""
        return [fd for _, fd in self._named() if fd is not None]

    def _named(self) -> tuple[tuple[str, int | None], ...]:
        return (("i", self.stdin), ("o", self.stdout), ("e", self.stderr))


class _Ends:
    """The pipes of a child in the making: its ends become fds 0, 1, 2, ours are handed out."""

    def __init__(self, order: Order, socket_fd: int | None) -> None:
        self._made: list[int] = []
        self._theirs: list[int] = []
        stdin, stderr = None, None
        try:
            if socket_fd is None:
                self.zero, stdin = self._pipe(ours=1)
            else:
                self.zero = socket_fd
            self.one, stdout = self._pipe(ours=0)
            self.two = self.one
            if not order.redirect_stderr:
                self.two, stderr = self._pipe(ours=0)
            self._give_to(order)
        except OSError as error:
            self.give_up()
            raise SpawnError("pipe", error.errno or errno.EIO) from None
        self.ours = Streams(stdin, stdout, stderr)

    def _pipe(self, ours: int) -> tuple[int, int]:
        """(the child's end, our end)."""
        pair = os.pipe()
        self._made += pair
        self._theirs.append(pair[1 - ours])
        os.set_blocking(pair[ours], False)
        return pair[1 - ours], pair[ours]

    def _give_to(self, order: Order) -> None:
        """Else a child of another user may not open /dev/stdout anew (decisions.md, section 4)."""
        if order.needs_another_user and os.geteuid() == 0:
            for fd in self._theirs:
                os.fchown(fd, order.uid or 0, -1)

    def close_theirs(self) -> None:
        """The child has them now."""
        close_all(self._theirs)

    def give_up(self) -> None:
        """There will be no child."""
        close_all(self._made)


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
        _fill_standard_streams()
        _keep_descriptors_to_ourselves()
        self._environment = environment
        self._alone = alone
        self._open_files = open_files
        self._home = _open_here() if alone else None

    def spawn(self, order: Order, socket_fd: int | None = None) -> tuple[int, Streams]:
        """A new child's pid and our ends of its pipes.  Raises SpawnError.  `socket_fd` stays open
        here.

        What fails in the child itself (user, directory, program) is no error here: see the head of
        this file.
        """
        ends = _Ends(order, socket_fd)
        try:
            pid = self._quickly(order, ends) or self._carefully(order, ends)
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
                {**self._environment, **added},
                setpgroup=0,
                setsigmask=(),
                # In the background of a terminal a daemon that logs to it must not be stopped for
                # that.
                setsigdef=[signum for signum in _DEFAULTED if signum != signal.SIGTTOU],
            )
        finally:
            self._put_back(ours)

    def _environment_of(self, order: Order) -> dict[bytes, bytes]:
        added = {os.fsencode(name): os.fsencode(value) for name, value in order.environment}
        return {**self._environment, **added}

    def _quickly(self, order: Order, ends: _Ends) -> int | None:
        """The child's pid; None when this way is closed, or failed: the careful one says why."""
        moves = order.directory is not None or order.umask is not None
        if order.needs_another_user or (moves and not self._alone):
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

    def _posix_spawn(self, order: Order, ends: _Ends) -> int:
        environment = self._environment_of(order)
        ours = self._limit_open_files()
        try:
            return os.posix_spawn(
                order.filename,
                order.argv,
                environment,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, fd, number)
                    for number, fd in enumerate((ends.zero, ends.one, ends.two))
                ],
                setpgroup=0,
                setsigmask=(),
                setsigdef=_DEFAULTED,
            )
        finally:
            self._put_back(ours)

    def _limit_open_files(self) -> tuple[int, int] | None:
        """Take on the children's limit; our own, to be put back, or None: nothing was changed."""
        if self._open_files is None:
            return None
        ours = resource.getrlimit(resource.RLIMIT_NOFILE)
        # Only the soft limit: a lowered hard one could not be raised again by an ordinary user.
        resource.setrlimit(resource.RLIMIT_NOFILE, (self._open_files[0], ours[1]))
        return ours

    def _put_back(self, ours: tuple[int, int] | None) -> None:
        if ours is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, ours)

    def _carefully(self, order: Order, ends: _Ends) -> int:
        """The child's pid.  Raises OSError when fork(2) fails."""
        # A signal that came before the child has put the handlers back would run ours in there.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, _ALL)
        try:
            pid = os.fork()
            if pid == 0:
                self._become(order, ends)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        # The child does it too; whoever comes first, a signal to the group cannot miss it.
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        return pid

    def _become(self, order: Order, ends: _Ends) -> NoReturn:
        """In the child: turn into the program, or say why not and end."""
        try:
            os.setpgid(0, 0)
            for number, fd in enumerate((ends.zero, ends.one, ends.two)):
                os.dup2(fd, number)
            _forget_signals()
            text = self._replace_this_process(order)
            os.write(2, f"supervisor: {text}\n".encode("utf-8", "surrogateescape"))
            os.write(2, b"supervisor: child process was not spawned\n")
        finally:
            os._exit(127)

    def _replace_this_process(self, order: Order) -> str:
        """Come back only with the reason why the program does not run."""
        reason = _switch_user(order)
        if reason is not None:
            return f"couldn't setuid to {order.uid}: {reason}"
        try:
            self._limit_open_files()
            if order.directory is not None:
                os.chdir(order.directory)
        except (OSError, ValueError) as error:
            return f"couldn't chdir to {order.directory}: {_errno_name(error)}"
        try:
            if order.umask is not None:
                os.umask(order.umask)
            os.execve(order.filename, order.argv, self._environment_of(order))
        except (OSError, ValueError) as error:
            argv0 = order.argv[0] if order.argv else order.filename
            return f"couldn't exec {argv0}: {_errno_name(error)}"


def _switch_user(order: Order) -> str | None:
    """Become the user of the order, wholly; None, or the reason why not."""
    if not order.needs_another_user or order.uid is None:
        return None
    if os.geteuid() != 0:
        return "Can't drop privilege as nonroot user"
    if order.gid is None:
        return f"Can't find uid {order.uid}"
    try:
        os.setgroups(order.groups)
    except OSError:
        return "Could not set groups of effective user"
    try:
        os.setgid(order.gid)
    except OSError:
        return "Could not set group id of effective user"
    try:
        os.setuid(order.uid)
    except OSError as error:
        return f"Could not set user id: {_errno_name(error)}"
    if (os.getuid(), os.geteuid()) != (order.uid, order.uid):
        return "The user id did not change"
    return None


def _errno_name(error: OSError | ValueError) -> str:
    """`ENOENT`.  Text that cannot be handed to the system at all counts as an invalid argument."""
    number = error.errno if isinstance(error, OSError) and error.errno else errno.EINVAL
    return errno.errorcode.get(number, str(number))


def _forget_signals() -> None:
    """Defaults for all signals but those that stay ignored; nothing blocked."""
    signal.set_wakeup_fd(-1)
    for signum in _DEFAULTED:
        if signal.getsignal(signum) is not signal.SIG_DFL:
            signal.signal(signum, signal.SIG_DFL)
    for ignored in _LEFT_IGNORED:
        signal.signal(ignored, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _fill_standard_streams() -> None:
    """Open /dev/null on those of fds 0, 1 and 2 that are closed, or pipes would land there."""
    while (fd := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(fd, True)
    os.close(fd)


def _keep_descriptors_to_ourselves() -> None:
    """What we inherited above 0, 1 and 2 goes to no child; what Python opens does not anyway."""
    for name in os.listdir("/dev/fd"):
        if int(name) > 2:
            with contextlib.suppress(OSError):  # the descriptor of the listing itself
                os.set_inheritable(int(name), False)


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
