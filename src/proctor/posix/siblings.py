"""Siblings: several LogFiles on one path, such as stdout and stderr of a program in one log.

When one of them replaces the file (rotation, clear), the others follow, so that all write to the
same file and the limit holds for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from proctor.posix.logfile import LogFile


class Siblings:
    """All LogFiles the drain thread writes to, by their absolute path."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        self._complain = complain
        self._families: dict[str, list[LogFile]] = {}
        self._following = False

    def add(self, file: LogFile) -> None:
        """From now on `file` follows the others with its path, and they follow it."""
        path = os.path.abspath(file.name)
        self._families.setdefault(path, []).append(file)
        file.complain = self._complain
        file.replaced = partial(self._follow, path, file)

    def remove(self, file: LogFile) -> None:
        """`file` is about to be closed.  Harmless for one that was never added."""
        path = os.path.abspath(file.name)
        family = self._families.get(path, [])
        if file in family:
            family.remove(file)
        if not family:
            self._families.pop(path, None)

    def _follow(self, path: str, leader: LogFile) -> None:
        if self._following:
            return  # a follower that reopens calls back here
        self._following = True
        for file in self._families.get(path, ()):
            try:
                if not os.path.sameopenfile(file.fd, leader.fd):
                    file.reopen()
            except OSError as error:
                self._complain(f"cannot reopen {file.name}: {error.strerror}")
        self._following = False
