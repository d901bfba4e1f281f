"""Siblings: several LogFiles on one path, such as stdout and stderr of a program in one log.

When one of them replaces the file (rotation, clear), the others follow, so that all write to the
same file and the limit holds for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from proctor.posix.logfile import LogFile


class Siblings:
    """All LogFiles the drain thread writes to, by their absolute path."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        self._complain = complain
        self._families: dict[str, tuple[LogFile, ...]] = {}
        self._following = False
        # The same for all: there may be thousands of files.
        self._replaced = self._follow

    def add(self, file: LogFile) -> None:
        """From now on `file` follows the others with its path, and they follow it."""
        path = _path_of(file)
        self._families[path] = (*self._families.get(path, ()), file)
        file.complain = self._complain
        file.replaced = self._replaced

    def remove(self, file: LogFile) -> None:
        """`file` is about to be closed.  Harmless for one that was never added."""
        path = _path_of(file)
        family = tuple(each for each in self._families.get(path, ()) if each is not file)
        if family:
            self._families[path] = family
        else:
            self._families.pop(path, None)

    def _follow(self, leader: LogFile) -> None:
        if self._following:
            return  # a follower that reopens calls back here
        self._following = True
        for file in self._families.get(_path_of(leader), ()):
            try:
                if not os.path.sameopenfile(file.fd, leader.fd):
                    file.reopen()
            except OSError as error:
                self._complain(f"cannot reopen {file.name}: {error.strerror}")
        self._following = False


def _path_of(file: LogFile) -> str:
    path = os.path.abspath(file.name)
    return file.name if path == file.name else path  # One text for both is enough.
