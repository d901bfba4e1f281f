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
        """From now on `file` follows the others with its path, and they follow it.

        It is opened again if its name is that of another file by now.
        """
        self._catch_up(file)
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

    def _catch_up(self, file: LogFile) -> None:
        # It was opened before its child was spawned.  Meanwhile somebody may have moved the log
        # away, and a sibling rotated it: what is then written to the old file would be lost to
        # whoever reads the log, or have it rotated again.
        try:
            if not file.has_its_name():
                file.reopen()
        except OSError as error:
            self._cannot_reopen(file, error)

    def _follow(self, leader: LogFile) -> None:
        if self._following:
            return  # a follower that reopens calls back here
        self._following = True
        for file in self._families.get(_path_of(leader), ()):
            try:
                if not os.path.sameopenfile(file.fd, leader.fd):
                    file.reopen()
            except OSError as error:
                self._cannot_reopen(file, error)
        self._following = False

    def _cannot_reopen(self, file: LogFile, error: OSError) -> None:
        self._complain(f"cannot reopen {file.name}: {error.strerror}")


def _path_of(file: LogFile) -> str:
    path = os.path.abspath(file.name)
    return file.name if path == file.name else path  # One text for both is enough.
