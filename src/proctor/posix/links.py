"""Symbolic links in the place of our files: followed when root or we ourselves have made them.

Whoever may write into the directory of a log could otherwise let a supervisor that runs as root
write into any file of the system, and show it.  Links of the administrator are usual (`web.log ->
/data/web.log`, `-> /dev/stdout`) and go on working.  Source: scenarios.md, section 1, rule 11.
"""

from __future__ import annotations

import errno
import os
import stat

_MOST = 40


def open_trusted(path: str, flags: int, mode: int = 0o666) -> int:
    """As os.open; a link that is somebody else's is refused with OSError ELOOP, in plain words."""
    place = _followed(path)
    # Links in /proc are the kernel's, and lead to what is open and not to a name.
    return os.open(place, flags | (0 if place.startswith("/proc/") else os.O_NOFOLLOW), mode)


def _followed(path: str) -> str:
    """Where a path leads, link by link; the last part of the result is no link, or not there yet.

    A link is read by the descriptor whose owner was looked at, so it cannot be exchanged in
    between.
    """
    for _ in range(_MOST):
        if path.startswith("/proc/"):
            return path
        try:
            link = os.open(path, os.O_PATH | os.O_NOFOLLOW)
        except OSError:
            # Not there yet, or no way there: whoever opens it will be told.
            return path
        try:
            found = os.fstat(link)
            if not stat.S_ISLNK(found.st_mode):
                return path
            if found.st_uid not in (0, os.geteuid()):
                text = f"a symbolic link that belongs to uid {found.st_uid}, not to us"
                raise OSError(errno.ELOOP, text, path)
            target = os.readlink("", dir_fd=link)
        finally:
            os.close(link)
        path = os.path.join(os.path.dirname(path), target)
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
