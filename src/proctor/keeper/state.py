"""All that a keeper knows, as plain data: what it leaves to the program it execs.

Descriptors are numbers: they stay open over the exec under the same ones.  Whoever changes what is
in here in a way that an older reader would misunderstand raises FORMAT; a reader refuses what it
does not know, before anything is lost (renewal.py).
"""

from __future__ import annotations

import os

from proctor.keeper.children import Child, Children
from proctor.keeper.pipes import Streams
from proctor.keeper.protocol import Frozen
from proctor.keeper.thin import dumps, loads
from proctor.keeper.trees import Tree

FORMAT = 1

# What may be due later, by names that every version knows: start the daemon, end it, end everybody.
START_DAEMON, END_DAEMON, KILL_EVERYBODY = "_start_daemon", "_end_daemon", "_kill_everybody"
TIMERS = frozenset({START_DAEMON, END_DAEMON, KILL_EVERYBODY})


class State:
    """What is left.  `timers` are the names of callbacks with their times, `watched` the ended
    children of whose trees somebody is left; the other fields are those of the keeper and of its
    daemon (loop.py, guard.py, daemon.py).
    """

    def __init__(
        self,
        *,
        command: list[str],
        open_files: list[int] | None,
        restarts: int,
        patience: float,
        last_status: int | None,
        undelivered: list[int],
        stop_signal: int | None,
        goodbye: int | None,
        first: bool,
        alone: bool,
        timers: dict[str, float],
        descriptors: dict[str, int],
        children: list[dict[str, object]],
        watched: list[list[str | int]],
        daemon: dict[str, object] | None,
        format: int = FORMAT,
    ) -> None:
        if format != FORMAT:
            raise ValueError(f"state of format {format}, only {FORMAT} is known here")
        if not TIMERS.issuperset(timers):
            raise ValueError(f"nobody here knows what {', '.join(set(timers) - TIMERS)} is")
        self.command = command
        self.open_files = open_files
        self.restarts = restarts
        self.patience = patience
        self.last_status = last_status
        self.undelivered = undelivered
        self.stop_signal = stop_signal
        self.goodbye = goodbye
        self.first = first
        self.alone = alone
        self.timers = timers
        self.descriptors = descriptors
        self.children = children
        self.watched = watched
        self.daemon = daemon
        self.format = format

    def kept(self) -> Children:
        """The children, as they were.  Raises ValueError or TypeError for nonsense."""
        children = Children()
        for fields in self.children:
            children.put_back(_child(**fields))  # type: ignore[arg-type]  # checked by use
        return children

    def wire(self) -> Frozen | None:
        """What was on its way to and from the daemon."""
        return None if self.daemon is None else Frozen(**self.daemon["wire"])  # type: ignore[arg-type]

    def fds(self) -> list[int]:
        """Every descriptor that is mentioned."""
        fds = list(self.descriptors.values())
        for child in self.kept():
            fds += child.streams.fds()
            if child.watch is not None:
                fds.append(child.watch)
        wire = self.wire()
        if self.daemon is not None and wire is not None:
            fds += [fd for fd in (self.daemon["sock"], self.daemon["watch"]) if isinstance(fd, int)]
            fds += wire.fds()
        return fds


def write(state: State) -> int:
    """A file without a name that holds the state, at its beginning.  Raises OSError."""
    fd = os.memfd_create("proctor-keeper", os.MFD_CLOEXEC)
    data = dumps(vars(state)).encode("ascii")
    done = 0
    while done < len(data):
        done += os.write(fd, data[done:])
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def read(fd: int) -> State:
    """What `write` wrote.  Raises ValueError or TypeError for what cannot be understood."""
    with open(fd, "rb") as file:
        state = State(**loads(file.read()))
    state.fds()  # looks at everything
    return state


def of_child(child: Child) -> dict[str, object]:
    """What `kept` makes a child of."""
    tree = child.tree
    return {
        "key": child.key,
        "pid": child.pid,
        "note": child.note,
        "birth": child.birth,
        "letters": child.streams.letters(),
        "fds": child.streams.fds(),
        "started": child.started,
        "status": child.status,
        "ended": child.ended,
        "signalled": sorted(child.signalled),
        "usage": child.usage,
        "watch": child.watch,
        "tree": None if tree is None else [tree.words(), sorted(tree.known.items()), tree.killing],
    }


def _child(
    *,
    key: str,
    pid: int,
    note: str,
    birth: int,
    letters: str,
    fds: list[int],
    started: float,
    status: int | None,
    ended: float,
    signalled: list[tuple[int, float]],
    usage: list[float],
    watch: int | None,
    tree: tuple[list[str], list[tuple[int, int]], bool] | None,
) -> Child:
    child = Child(key, pid, Streams.named(letters, fds), started, note=note, birth=birth)
    child.status, child.ended = status, ended
    child.signalled = tuple((signum, when) for signum, when in signalled)
    child.usage, child.watch = tuple(usage), watch
    if tree is not None:
        words, known, killing = tree
        child.tree = Tree.of_words(pid, words)
        child.tree.known, child.tree.killing = dict(known), killing
    return child
