"""In the child, between fork and exec: become the program, or say why not and end.

The order of the steps and the texts are the original's (compat process.md, 4.2 and 4.3).
"""

from __future__ import annotations

import errno
import os
import resource

from proctor.keeper.order import Order
from proctor.keeper.thin import signals

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing for real costs the keeper 0.6 MB
    from typing import NoReturn

ALL_SIGNALS = signals.valid_signals()
_PR_SET_NO_NEW_PRIVS = 38
LEFT_IGNORED = (signals.SIGPIPE, signals.SIGXFSZ)
DEFAULTED = tuple(
    signum
    for signum in sorted(ALL_SIGNALS)
    if signum not in (signals.SIGKILL, signals.SIGSTOP, *LEFT_IGNORED)
)


def become(
    order: Order,
    streams: tuple[int, int, int],
    base: dict[bytes, bytes],
    open_files: tuple[int, int] | None,
    door: int | None = None,
) -> NoReturn:
    """Turn into the program, with `streams` as fds 0, 1 and 2 and `base` under its environment.

    `door` leads into a control group; it is entered before anything can fork.
    """
    try:
        os.setpgid(0, 0)
        if door is not None:
            _enter(door)
        for number, fd in enumerate(streams):
            os.dup2(fd, number)
        _forget_signals()
        text = _replace_this_process(order, base, open_files)
        os.write(2, f"supervisor: {text}\n".encode("utf-8", "surrogateescape"))
        os.write(2, b"supervisor: child process was not spawned\n")
    finally:
        os._exit(127)


def _enter(door: int) -> None:
    try:
        os.write(door, b"0")
    except OSError:
        return  # trees.py sees that we are not inside and finds our descendants without it


def _replace_this_process(
    order: Order, base: dict[bytes, bytes], open_files: tuple[int, int] | None
) -> str:
    """Come back only with the reason why the program does not run."""
    # While we are still somebody who can load what it takes.
    if order.no_new_privs and (reason := _renounce_privileges()):
        return f"couldn't set no_new_privs: {reason}"
    reason = _switch_user(order)
    if reason is not None:
        return f"couldn't setuid to {order.uid}: {reason}"
    try:
        if order.directory is not None:
            os.chdir(order.directory)
    except (OSError, ValueError) as error:
        return f"couldn't chdir to {order.directory}: {_errno_name(error)}"
    try:
        if order.umask is not None:
            os.umask(order.umask)
        if open_files is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, open_files)
        os.execve(order.filename, order.argv, order.environment_over(base))
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
    if (os.getgid(), os.getegid()) != (order.gid, order.gid):
        return "The group id did not change"
    return None


def _renounce_privileges() -> str | None:
    """No program gives us rights from here on, set-user-ID or not; None, or the reason why not."""
    try:
        # Only here, in a child that is about to be another program: the keeper stays small.
        import ctypes

        failed = ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    except (ImportError, OSError, AttributeError) as error:
        return str(error)
    return errno.errorcode.get(ctypes.get_errno(), "EINVAL") if failed else None


def _errno_name(error: OSError | ValueError) -> str:
    """`ENOENT`.  Text that cannot be handed to the system at all counts as an invalid argument."""
    number = error.errno if isinstance(error, OSError) and error.errno else errno.EINVAL
    return errno.errorcode.get(number, str(number))


def _forget_signals() -> None:
    """Defaults for all signals but those that stay ignored; nothing blocked."""
    signals.set_wakeup_fd(-1)
    for signum in DEFAULTED:
        if signals.getsignal(signum) != signals.SIG_DFL:
            signals.signal(signum, signals.SIG_DFL)
    for ignored in LEFT_IGNORED:
        signals.signal(ignored, signals.SIG_IGN)
    signals.pthread_sigmask(signals.SIG_SETMASK, ())
