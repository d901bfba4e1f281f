"""World: what the configuration may ask of the machine.  The only file here that touches it.

The real one is made once, at start: the directory it was made in stays the base of relative paths,
so that a later re-read finds the same files after daemonizing (gotcha G8).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import Enum
from typing import Protocol

from proctor.core.settings import TlsSettings


class Kept(Enum):
    """What is at a path.  UNKNOWN: we may not see it, or it is neither file nor directory."""

    NOTHING = "nothing"
    DIRECTORY = "directory"
    FILE = "file"
    PROGRAM = "program"
    UNKNOWN = "unknown"


class World(Protocol):
    """Files, environment, users and plug-ins, as the configuration sees them."""

    @property
    def cwd(self) -> str:
        """The directory that relative paths are made absolute with."""

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment at start."""

    @property
    def hostname(self) -> str:
        """Name of this host."""

    @property
    def uid(self) -> int:
        """Our effective user."""

    @property
    def encoding(self) -> str:
        """Encoding of the locale, for files that are not UTF-8."""

    @property
    def temporary_directory(self) -> str:
        """Where AUTO logs go by default."""

    @property
    def signals(self) -> Mapping[str, int]:
        """Every signal this system knows: full name to number."""

    def read(self, path: str) -> bytes:
        """Content of a file.  Raises OSError."""

    def exists(self, path: str) -> bool:
        """Whether there is anything at the path."""

    def is_directory(self, path: str) -> bool:
        """Whether the path is a directory."""

    def what_is(self, path: str) -> Kept:
        """What is at the path; PROGRAM when somebody may execute it."""

    def glob(self, pattern: str) -> list[str]:
        """Paths that match, sorted."""

    def expand_user(self, path: str) -> str:
        """The path with a leading ~ replaced."""

    def user(self, text: str) -> tuple[int, int] | None:
        """(uid, gid) of a user by name or number; None when there is no such user."""

    def group(self, text: str) -> int | None:
        """gid of a group by name or number; None when there is no such group."""

    def who_else_writes(self, path: str, strictly: bool) -> str:
        """Who may change what is at the path, for a sentence; "" when nobody but us and root may.

        Everybody counts always (but not where only owners may remove, as in /tmp); `strictly`: so
        do its owner and its group.
        """

    def why_unresolvable(self, spec: str) -> str | None:
        """Why `module:attribute` cannot be imported; None when it can."""

    def why_no_tls(self, tls: TlsSettings) -> tuple[str, str] | None:
        """(option, reason) when these files cannot be served with; None when they can."""


class RealWorld:
    """This machine.  `cwd` is the directory at the first start, if that was another process."""

    def __init__(self, cwd: str | None = None) -> None:
        self.cwd = _current_directory() if cwd is None else cwd
        self.environ: Mapping[str, str] = dict(os.environ)
        self.uid = os.geteuid()

    @property
    def hostname(self) -> str:
        return os.uname().nodename

    @property
    def encoding(self) -> str:
        import locale

        return locale.getpreferredencoding(False)

    @property
    def temporary_directory(self) -> str:
        import tempfile

        return tempfile.gettempdir()

    @property
    def signals(self) -> Mapping[str, int]:
        import signal

        # SIG_DFL and SIG_IGN are in it on purpose: the original takes them, as 0 and 1.
        return {name: int(getattr(signal, name)) for name in dir(signal) if name.startswith("SIG")}

    def _at(self, path: str) -> str:
        return os.path.join(self.cwd, path) if path else path

    def read(self, path: str) -> bytes:
        with open(self._at(path), "rb") as file:
            return file.read()

    def exists(self, path: str) -> bool:
        return os.path.exists(self._at(path))

    def is_directory(self, path: str) -> bool:
        return os.path.isdir(self._at(path))

    def what_is(self, path: str) -> Kept:
        import stat

        try:
            mode = os.stat(self._at(path)).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return Kept.NOTHING
        except (OSError, ValueError):
            return Kept.UNKNOWN
        if stat.S_ISDIR(mode):
            return Kept.DIRECTORY
        if not stat.S_ISREG(mode):
            return Kept.UNKNOWN
        return Kept.PROGRAM if mode & 0o111 else Kept.FILE

    def glob(self, pattern: str) -> list[str]:
        import glob

        return sorted(glob.glob(pattern))

    def expand_user(self, path: str) -> str:
        return os.path.expanduser(path)

    def user(self, text: str) -> tuple[int, int] | None:
        import pwd

        try:
            entry = pwd.getpwuid(int(text)) if _is_number(text) else pwd.getpwnam(text)
        except (KeyError, OverflowError, ValueError):
            return None
        return entry.pw_uid, entry.pw_gid

    def group(self, text: str) -> int | None:
        import grp

        try:
            entry = grp.getgrgid(int(text)) if _is_number(text) else grp.getgrnam(text)
        except (KeyError, OverflowError, ValueError):
            return None
        return entry.gr_gid

    def who_else_writes(self, path: str, strictly: bool) -> str:
        import stat

        try:
            found = os.stat(self._at(path))
        except OSError:
            return ""
        shared = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
        if found.st_mode & stat.S_IWOTH and not shared:
            return "everybody may write there"
        if not strictly:
            return ""
        if found.st_uid not in (0, self.uid):
            return f"it belongs to uid {found.st_uid}"
        if found.st_mode & stat.S_IWGRP and found.st_gid != 0 and not shared:
            return f"its group, gid {found.st_gid}, may write there"
        return ""

    def why_unresolvable(self, spec: str) -> str | None:
        import importlib

        module, colon, attributes = spec.partition(":")
        if not module or not colon:
            return "it is not module:attribute"
        try:
            found: object = importlib.import_module(module)
            for name in attributes.split("."):
                found = getattr(found, name)
        # Importing a plug-in runs its code: whatever that raises is the answer to the question.
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return None

    def why_no_tls(self, tls: TlsSettings) -> tuple[str, str] | None:
        from proctor.config.certificates import problem_of

        return problem_of(tls)


def _current_directory() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        # Deleted under our feet, as deployments do; absolute paths work from anywhere.
        return "/"


def _is_number(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True
