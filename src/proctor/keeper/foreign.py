"""Processes that are not our children: the programs of a keeper that is gone.

They are watched, signalled and asked for their end through pidfds.  As long as its parent has not
reaped it the exit status of a process that has ended is in /proc; afterwards Linux tells it through
the pidfd since 6.15.  What was reaped at once by an older kernel stays unknown.
"""

from __future__ import annotations

import os
import select

from proctor.keeper.thin import signals

UNKNOWN = -1

_PIDFD_GET_INFO = 0xC040FF0B
_INFO_EXIT = 1 << 3
_SIZE = 64


def tells_ends() -> bool:
    """Whether this kernel tells the exit status of processes that are not our children."""
    numbers = os.uname().release.split("-")[0].split(".")[:2]
    return [int(number) for number in numbers if number.isdigit()] >= [6, 15]


def end_of(pidfd: int) -> int | None:
    """The wait status of a process that has ended and was reaped; None: not (yet) known."""
    import fcntl

    request = bytearray(_SIZE)
    request[:8] = _INFO_EXIT.to_bytes(8, "little")
    try:
        fcntl.ioctl(pidfd, _PIDFD_GET_INFO, request)
    except OSError:
        return None
    if not int.from_bytes(request[:8], "little") & _INFO_EXIT:
        return None
    return int.from_bytes(request[-4:], "little", signed=True)


def end_of_zombie(pid: int, birth: int) -> int | None:
    """The wait status of a process that has ended and was not reaped; None: not known.

    The system tells it to root and to the user of the process; to others it tells 0.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        owner = os.stat(f"/proc/{pid}").st_uid
        is_it = fields[0] == b"Z" and int(fields[19]) == birth
        return int(fields[49]) if is_it and os.geteuid() in (0, owner) else None
    except (OSError, ValueError, IndexError):
        return None


def has_ended(pidfd: int) -> bool:
    """Whether there is nobody to signal any more."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(0))


def send(pidfd: int, pid: int, signum: int, to_group: bool) -> None:
    """Signal the process, or the group that it leads.  Raises OSError."""
    if to_group and not has_ended(pidfd) and os.getpgid(pid) == pid:
        os.killpg(pid, signum)
    else:
        signals.pidfd_send_signal(pidfd, signum)
