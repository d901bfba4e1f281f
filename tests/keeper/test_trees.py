"""Trees of processes: control groups where they can be, /proc where not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.keeping import until
from proctor.keeper.cgroups import Group, Groups, places, sweep
from proctor.keeper.procfs import everybody, look_at, send
from proctor.keeper.trees import MARK, Tree, Trees

HYBRID = """\
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
36 31 0:33 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
37 31 0:34 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer
38 31 0:37 / /sys/fs/cgroup/systemd rw shared:9 - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/uni\\040fied rw - cgroup2 cgroup2 rw
"""


def test_the_best_place_is_version_2_then_one_that_only_groups() -> None:
    """Below our own group, never in a hierarchy whose controller would change how we run."""
    own = "4:name=systemd:/system.slice/p.service\n3:freezer:/\n2:memory:/m\n0::/p.service\n"
    assert places(HYBRID, own) == [
        "/sys/fs/cgroup/uni fied/p.service",
        "/sys/fs/cgroup/systemd/system.slice/p.service",
        "/sys/fs/cgroup/freezer",
    ]


def test_a_container_sees_its_own_part_only() -> None:
    """The mount shows what is below its root; a group outside of it cannot be reached."""
    mount = "9 8 0:3 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
    assert places(mount, "0::/docker/abc/init\n") == ["/sys/fs/cgroup/init"]
    assert places(mount, "0::/\n") == []
    assert places("", "") == []


@pytest.fixture
def group() -> Iterator[Group]:
    """A control group of its own."""
    made = Groups().make(f"proctor-test.{os.getpid()}/a:b/c")
    if made is None:
        pytest.skip("no control group can be made here")
    yield made
    made.kill()
    until(made.remove)


def inside(group: Group, script: str) -> int:
    """The pid of a shell that entered the group before it ran the script."""
    door = group.open_door()
    os.set_inheritable(door, True)
    words = [sys.executable, "-S", "-E", "-c", ENTER, str(door), script]
    try:
        return os.posix_spawn(words[0], words, os.environ)
    finally:
        os.close(door)


ENTER = """import os, sys
os.write(int(sys.argv[1]), b"0")
os.execv("/bin/sh", ["sh", "-c", sys.argv[2]])"""


def test_nobody_leaves_a_group_by_forking(group: Group) -> None:
    """The name of a process is no path; who double-forks is inside; one write ends them all."""
    assert os.path.basename(group.path) == "a:b_c"
    pid = inside(group, "trap '' TERM; (setsid sleep 60 & ) ; (setsid sleep 60 &); sleep 60")
    tree = Tree(pid, "x", group)

    def names() -> list[str]:
        return sorted(seen.name for seen in tree.members(everybody, True, None).values())

    # Who only starts another one and ends is inside for a moment, too.
    until(lambda: names() == ["sh", "sleep", "sleep", "sleep"])
    assert not group.remove(), "somebody is inside"
    members = tree.members(everybody, True, None)
    assert members.keys() == group.members()
    tree.signal(signal.SIGKILL, members)
    os.waitpid(pid, 0)
    until(lambda: not group.members())


def test_a_name_that_is_in_use_is_not_used_twice(group: Group) -> None:
    """Somebody is still in the group of that name: the next one has another."""
    pid = inside(group, "exec sleep 60")
    until(lambda: pid in group.members())
    folder = os.path.basename(os.path.dirname(group.path))
    other = Groups().make(f"{folder}/a:b_c")
    assert other is not None
    assert other.path == f"{group.path}~1"
    assert other.remove()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


# No process has it: it is above the largest that the kernel gives.
NOBODY = 99999999


def test_empty_groups_of_killed_keepers_go(scratch: Path) -> None:
    """Not those of others, of a living keeper, or with somebody inside; here with directories."""
    gone = [f"sv.{NOBODY}/a:b", f"sv.{NOBODY}/a:c/inner"]
    stay = [f"other.{NOBODY}/a:b", f"sv.{os.getpid()}/a:b", f"sv.{NOBODY + 1}/used", "sv/1"]
    for name in (*gone, *stay):
        (scratch / name).mkdir(parents=True)
    (scratch / stay[2] / "somebody").touch()
    sweep(str(scratch), "sv.77")
    assert not (scratch / f"sv.{NOBODY}").exists()
    assert all((scratch / name).exists() for name in stay)


def test_the_first_group_of_a_keeper_sweeps() -> None:
    """Real groups."""
    name = f"proctor-swept-{os.getpid()}"
    old = Groups().make(f"{name}.{NOBODY}/a:b")
    new = Groups().make(f"{name}.{os.getpid()}/a:b")
    if old is None or new is None:
        pytest.skip("no control group can be made here")
    swept = not os.path.exists(os.path.dirname(old.path))
    assert old.remove()
    assert new.remove()
    assert swept


def spawn_marked(mark: str) -> int:
    """A shell in its own process group, with a child that has left it in every way but one."""
    away = f"import os; os.fork() and os._exit(0); os.setsid(); os.execv('/bin/sleep', {SLEEP})"
    script = f'"{sys.executable}" -S -E -c "{away}"; exec sleep 60'
    environment = {**os.environ, MARK: mark}
    argv = ["sh", "-c", script]
    return os.posix_spawn("/bin/sh", argv, environment, setpgroup=0)


SLEEP = ["sleep", "61"]


def test_without_a_group_the_mark_finds_who_has_left() -> None:
    """Also after the process itself has ended, and nobody else is touched."""
    mark = f"proctor-test.{os.getpid()}"
    pid, stranger = spawn_marked(mark), spawn_marked("somebody else's")
    told: list[tuple[str, int, list[str]]] = []
    alive = True
    trees = Trees(lambda _key, _pid: alive, lambda *what: told.append(what), None)
    tree, other = Tree(pid, mark), Tree(stranger, "somebody else's")

    def stands(which: Tree) -> bool:
        found = which.members(everybody, True, None).values()
        return [seen.name for seen in found] == ["sleep", "sleep"]

    # The stranger's too: what it still starts when it is killed would be left behind.
    until(lambda: stands(tree) and stands(other))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    trees.parted([tree])
    alive = False
    trees.ask("k", tree, 0)
    assert trees.work() is not None, "somebody is left, so it wants to look again"
    (left,) = told.pop()[2]
    assert left.endswith(" (sleep)")
    trees.ask("k", tree, signal.SIGTERM)
    trees.work()
    until(lambda: trees.work() is None)
    assert told[-1] == ("k", pid, [])
    strangers = other.members(everybody, True, None)
    assert stranger in strangers
    other.signal(signal.SIGKILL, strangers)
    os.waitpid(stranger, 0)


def test_a_later_process_of_the_same_pid_gets_no_signal() -> None:
    """Its start time tells it apart."""
    child = subprocess.Popen(["sleep", "60"])
    seen = look_at(child.pid)
    assert seen is not None
    send(child.pid, seen.start + 1, signal.SIGKILL)
    assert child.poll() is None
    send(child.pid, seen.start, signal.SIGTERM)
    assert child.wait() == -signal.SIGTERM
    assert look_at(child.pid) is None
