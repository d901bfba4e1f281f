"""Who a pid is: a number alone may belong to a stranger by now.

A process is known by the boot, its pid and its time of birth (field 22 of /proc/PID/stat, in clock
ticks since the boot).  A pidfd names it from then on, whatever becomes of the number.
"""

from __future__ import annotations

import os


def this_boot() -> str:
    """Differs after every boot of the machine; "" where nobody can tell."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def birth(pid: int) -> int:
    """When the process was born, in clock ticks since the boot; 0 if there is none or nobody can
    tell.
    """
    return _seen(pid)[1]


def lives(pid: int, born: int) -> bool:
    """Whether the process of this pid that was born then still runs; a zombie does not."""
    return born != 0 and _seen(pid) == (True, born)


def _seen(pid: int) -> tuple[bool, int]:
    """Whether it runs, and when it was born."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return fields[0] not in (b"Z", b"X"), int(fields[19])
    except (OSError, ValueError, IndexError):
        return False, 0


def started_at(pid: int) -> float | None:
    """When the process began, in seconds since the epoch; 0 if unknown, None if there is none (a
    zombie is none).
    """
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return None
    except PermissionError:
        pass
    runs, ticks = _seen(pid)
    if ticks and not runs:
        return None
    try:
        with open("/proc/stat", "rb") as file:
            boot = next(int(line.split()[1]) for line in file if line.startswith(b"btime "))
    except (OSError, StopIteration):
        return 0.0
    return boot + ticks / os.sysconf("SC_CLK_TCK") if ticks else 0.0


def open_process(pid: int, born: int) -> int:
    """A pidfd of the process of this pid that was born then.

    Raises ProcessLookupError when it is gone, whoever has its pid now; OSError where the system
    cannot tell.
    """
    fd = os.pidfd_open(pid)
    # In this order: whoever has the pid and the time of birth now had them before.
    if not born or birth(pid) != born:
        os.close(fd)
        raise ProcessLookupError(f"{pid} is not who it was")
    return fd
