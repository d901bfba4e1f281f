"""Control groups: a fence around everything that comes from one child.

Who double-forks or calls setsid(2) leaves its parent and its process group, but not its control
group.  Rules:
1. A group is made below the one we are in ourselves, where we may; no controller is asked for.
   Version 2 first; else a hierarchy of version 1 that only groups (name=...), else freezer or pids.
2. The child enters by itself before it becomes the program (a write of "0" to `procs`): moved from
   outside, what it forks at once would stay behind (decisions.md, section 2).
3. We never enter one ourselves: what kills the group would kill us with it.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_ONLY_GROUPING = ("name=", "freezer", "pids")
_LONGEST_NAME = 200
_LONGEST_TRY = 100


class Group:
    """One control group, by its directory."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path

    def open_door(self) -> int:
        """A descriptor; who writes b"0" to it is inside.  Raises OSError."""
        return os.open(os.path.join(self.path, "cgroup.procs"), os.O_WRONLY | os.O_CLOEXEC)

    def members(self) -> set[int]:
        """The pids in it and in the groups below it; none when it is gone."""
        pids: set[int] = set()
        for folder in self.folders():
            pids.update(map(int, _read(os.path.join(folder, "cgroup.procs")).split()))
        pids.discard(0)  # somebody of another pid namespace
        return pids

    def kill(self) -> bool:
        """SIGKILL to all of them at once; False where the kernel cannot (before 5.14, v1)."""
        try:
            # Without O_CREAT: what is no such file must stay none.
            fd = os.open(os.path.join(self.path, "cgroup.kill"), os.O_WRONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            return os.write(fd, b"1") == 1
        except OSError:
            return False
        finally:
            os.close(fd)

    def remove(self) -> bool:
        """Take it away with those below it and, when it was the last, the one around it.

        False while somebody is inside.
        """
        for folder in self.folders():
            if not _removed(folder):
                return False
        _removed(os.path.dirname(self.path))
        return True

    def folders(self) -> Iterator[str]:
        """Those of the groups below it, then its own."""
        for folder, _, _ in os.walk(self.path, topdown=False):
            yield folder


class Groups:
    """Makes groups.  Looks for the place once, when the first one is wanted."""

    def __init__(self) -> None:
        self._homes: list[str] | None = None

    def make(self, name: str) -> Group | None:
        """A new and empty group of about this name (`folder/group`); None where none can be."""
        if self._homes is None:
            self._homes = places(_read("/proc/self/mountinfo"), _read("/proc/self/cgroup"))
            for home in self._homes:
                sweep(home, name.partition("/")[0])
        for home in tuple(self._homes):
            try:
                return _make(home, name)
            except OSError:
                self._homes.remove(home)
        return None


def sweep(home: str, folder: str) -> None:
    """Take away what keepers left that were killed: empty groups of a `folder` (`name.pid`) whose
    name is the same, but whose pid is nobody's.
    """
    ours, _, _ = folder.rpartition(".")
    try:
        names = os.listdir(home)
    except OSError:
        return
    for each in names:
        stem, _, pid = each.rpartition(".")
        if stem == ours and pid.isdecimal() and not os.path.exists(f"/proc/{pid}"):
            for inner in Group(os.path.join(home, each)).folders():
                _removed(inner)


def places(mountinfo: str, own: str) -> list[str]:
    """The directories of our own groups, the best place for new ones first.

    The arguments are the texts of the two files in /proc/self.
    """
    paths = dict(_hierarchy_and_path(line) for line in own.splitlines())
    found: list[tuple[int, str]] = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        root, mountpoint = (_unescaped(word) for word in before.split(" ")[3:5])
        kind, _, options = after.split(" ", 2)
        if kind == "cgroup2":
            found += [(0, each) for each in _below(paths.get(""), root, mountpoint)]
        elif kind == "cgroup":
            for option in options.split(","):
                for rank, word in enumerate(_ONLY_GROUPING, 1):
                    if option.startswith(word):
                        path = next((paths[n] for n in paths if option in n.split(",")), None)
                        found += [(rank, each) for each in _below(path, root, mountpoint)]
    return [directory for _, directory in sorted(found)]


def _hierarchy_and_path(line: str) -> tuple[str, str]:
    _, controllers, path = line.split(":", 2)
    return controllers, path


def _below(path: str | None, root: str, mountpoint: str) -> list[str]:
    """Where our group of this path is mounted; nowhere when it lies outside of what is."""
    if path is None:
        return []
    inner = os.path.relpath(path, root)
    if inner.startswith(".."):
        return []
    return [os.path.normpath(os.path.join(mountpoint, inner))]


def _make(home: str, name: str) -> Group:
    folder, _, last = name.partition("/")
    around = os.path.join(home, _as_file_name(folder))
    os.makedirs(around, exist_ok=True)
    path = os.path.join(around, _as_file_name(last))
    for number in range(_LONGEST_TRY):
        group = Group(path if number == 0 else f"{path}~{number}")
        try:
            os.mkdir(group.path)
        except FileExistsError:
            # Left by a run before this one.  Somebody may still be in it.
            if not group.remove():
                continue
            os.makedirs(group.path)
        return group
    raise FileExistsError(path)


def _as_file_name(text: str) -> str:
    return text.replace("/", "_").replace("\n", "_").lstrip(".")[:_LONGEST_NAME] or "_"


def _unescaped(word: str) -> str:
    """Without the \\040 that mountinfo writes for a space."""
    return word.encode("latin-1", "replace").decode("unicode_escape") if "\\" in word else word


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""


def _removed(folder: str) -> bool:
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
