"""A World that a test holds in its hands: files in a dictionary, two users, nobody else."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from proctor.config.commandline import Overrides
from proctor.config.load import Configuration, load
from proctor.config.problems import ConfigError
from proctor.config.world import Kept
from proctor.core.settings import TlsSettings

MAIN = "/etc/supervisord.conf"
USERS = {"root": (0, 0), "0": (0, 0), "web": (1000, 1001), "1000": (1000, 1001)}
GROUPS = {"root": 0, "0": 0, "staff": 50}
SIGNALS = {"SIGHUP": 1, "SIGINT": 2, "SIGQUIT": 3, "SIGKILL": 9, "SIGTERM": 15, "SIG_DFL": 0}
START = "[supervisord]\n"


@dataclass
class AWorld:
    """`files` by absolute path; every directory of a file exists, and `directories` too."""

    files: dict[str, bytes] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=lambda: {"HOME": "/root", "LANG": "C"})
    directories: set[str] = field(default_factory=lambda: {"/", "/tmp", "/etc", "/var/log"})
    unreadable: set[str] = field(default_factory=set)
    executable: set[str] = field(default_factory=set)
    open_to_all: set[str] = field(default_factory=set)
    cwd: str = "/work"
    hostname: str = "box"
    uid: int = 0
    encoding: str = "utf-8"
    temporary_directory: str = "/tmp"
    signals: Mapping[str, int] = field(default_factory=lambda: SIGNALS)

    def put(self, path: str, text: str) -> None:
        """Write a file."""
        self.files[path] = text.encode()

    def _at(self, path: str) -> str:
        return posixpath.join(self.cwd, path)

    def read(self, path: str) -> bytes:
        if path in self.unreadable:
            raise PermissionError(13, "Permission denied")
        return self.files[self._at(path)]

    def exists(self, path: str) -> bool:
        return self._at(path) in self.files or self.is_directory(path)

    def is_directory(self, path: str) -> bool:
        parents = {posixpath.dirname(file) for file in self.files}
        return bool(path) and self._at(path) in self.directories | parents

    def what_is(self, path: str) -> Kept:
        if any(path.startswith(hidden) for hidden in self.unreadable):
            return Kept.UNKNOWN
        if self.is_directory(path):
            return Kept.DIRECTORY
        kind = Kept.PROGRAM if path in self.executable else Kept.FILE
        return kind if path in self.files else Kept.NOTHING

    def glob(self, pattern: str) -> list[str]:
        return sorted(path for path in self.files if fnmatch.fnmatchcase(path, pattern))

    def expand_user(self, path: str) -> str:
        return "/root" + path[1:] if path.startswith("~") else path

    def user(self, text: str) -> tuple[int, int] | None:
        return USERS.get(text)

    def group(self, text: str) -> int | None:
        return GROUPS.get(text)

    def who_else_writes(self, path: str, strictly: bool) -> str:
        return "everybody may write there" if path in self.open_to_all else ""

    def why_no_tls(self, tls: TlsSettings) -> tuple[str, str] | None:
        return ("certfile", "it is not in PEM format") if "bad" in tls.certfile else None

    def why_unresolvable(self, spec: str) -> str | None:
        return None if spec.startswith("good:") else "ModuleNotFoundError: no such module"


def read(text: str, world: AWorld | None = None, **more: str) -> Configuration:
    """The configuration that a main file with this text makes; `more` are files of /etc/conf.d."""
    world = world or AWorld()
    world.put(MAIN, text)
    for name, content in more.items():
        world.put(f"/etc/conf.d/{name}.ini", content)
    return load(MAIN, Overrides(), world)


def mistake(text: str, world: AWorld | None = None, **more: str) -> str:
    """The first mistake of such a file, in the original's words."""
    return mistakes(text, world, **more).text


def mistakes(text: str, world: AWorld | None = None, **more: str) -> ConfigError:
    """All mistakes of such a file."""
    try:
        read(text, world, **more)
    except ConfigError as error:
        return error
    raise AssertionError("there is no mistake in it")


def warnings(configuration: Configuration) -> list[str]:
    """Its warnings, without places in brackets."""
    lines = [note.line() for note in configuration.notes if note.level == "warn"]
    return [re.sub(r" \(/\S+\)$", "", line) for line in lines]
