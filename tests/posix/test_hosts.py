"""Both hosts, with real children: they answer alike, with the keeper and without."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import signal
import socket
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from keeper.keeping import PATIENCE, KeeperProcess, read_all
from proctor.core.exits import ExitStatus
from proctor.core.plan import ChildPipes, SpawnFailure, SpawnPlan
from proctor.daemon.host import Host
from proctor.posix.keeper_host import KeeperHost
from proctor.posix.local_host import LocalHost

AnyHost = KeeperHost | LocalHost
Scene = Callable[[AnyHost], Awaitable[None]]


def stdout_of(pipes: ChildPipes) -> int:
    assert pipes.stdout is not None
    return pipes.stdout


class Child:
    """A sink that remembers."""

    def __init__(self, host: AnyHost, key: str) -> None:
        self.host = host
        self.key = key
        self.pid = 0
        self.pipes: ChildPipes | None = None
        self.story: list[str] = []
        self.failure: SpawnFailure | None = None
        self.status: ExitStatus | None = None
        self.refused = 0
        self.keeps = False
        self.left: list[Sequence[str]] = []
        self.changed = asyncio.Event()

    def spawned(self, pid: int, pipes: ChildPipes, at: float) -> None:
        self.pid, self.pipes = pid, pipes
        self._note("spawned", at)

    def spawn_failed(self, failure: SpawnFailure, at: float) -> None:
        self.failure = failure
        self._note("spawn_failed", at)

    def exited(self, status: ExitStatus, at: float) -> None:
        self.status = status
        if not self.keeps:
            self.host.acknowledge(self.key, self.pid)
        self._note("exited", at)

    def signal_failed(self, errno: int, at: float) -> None:
        self.refused = errno
        self._note("signal_failed", at)

    def tree_left(self, left: Sequence[str], at: float) -> None:
        self.left.append(left)
        self._note("left" if left else "all gone", at)

    def _note(self, what: str, at: float) -> None:
        assert abs(self.host.now() - at) < PATIENCE, "on the clock of the host"
        self.story.append(what)
        self.changed.set()

    async def has_written(self) -> None:
        assert self.pipes is not None
        loop, seen = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(stdout_of(self.pipes), seen.set)
        await asyncio.wait_for(seen.wait(), PATIENCE)
        loop.remove_reader(stdout_of(self.pipes))

    async def until(self, what: str) -> None:
        while what not in self.story:
            self.changed.clear()
            await asyncio.wait_for(self.changed.wait(), PATIENCE)

    def close(self) -> None:
        for fd in (
            (self.pipes.stdin, stdout_of(self.pipes), self.pipes.stderr) if self.pipes else ()
        ):
            if fd is not None:
                os.close(fd)
        self.pipes = None


@pytest.fixture
def keeper() -> Iterator[KeeperProcess]:
    process = KeeperProcess()
    yield process
    process.close()


@asynccontextmanager
async def keeper_host(keeper: KeeperProcess) -> AsyncIterator[KeeperHost]:
    host = KeeperHost(asyncio.get_running_loop(), keeper.next_talk().sock)
    yield host
    if not host.lost:
        host.leave()


@asynccontextmanager
async def local_host() -> AsyncIterator[LocalHost]:
    host = LocalHost(asyncio.get_running_loop())
    await host.hello()
    yield host
    host.close()


@pytest.fixture(params=["keeper", "local"])
def play(request: pytest.FixtureRequest) -> Callable[[Scene], None]:
    """Run a scene on a host of either kind."""
    keeper = request.getfixturevalue("keeper") if request.param == "keeper" else None

    async def run(scene: Scene) -> None:
        if keeper is not None:
            async with keeper_host(keeper) as host:
                await host.hello()
                await scene(host)
        else:
            async with local_host() as host:
                await scene(host)

    def play_it(scene: Scene) -> None:
        with warnings.catch_warnings():
            asyncio.run(run(scene))

    return play_it


def spawn(host: AnyHost, *argv: str, key: str = "test:1", **more: Any) -> Child:
    child = Child(host, key)
    host.spawn(SpawnPlan(key, argv[0], argv, **more), child)
    assert not child.story, "never from inside the call"
    return child


def shell(host: AnyHost, script: str, **more: Any) -> Child:
    return spawn(host, "/bin/sh", "-c", script, **more)


def test_they_are_hosts(play: Callable[[Scene], None]) -> None:
    """Both fit the seam that the heart knows."""

    async def scene(host: AnyHost) -> None:
        seam: Host = host
        rung = asyncio.Event()
        when = seam.now() + 0.01
        timer = seam.call_at(when, rung.set)
        seam.call_at(when, lambda: pytest.fail("cancelled")).cancel()
        await asyncio.wait_for(rung.wait(), PATIENCE)
        assert seam.now() >= when
        timer.cancel()
        assert seam.wall() > 1.7e9

    play(scene)


def test_three_hundred_children(play: Callable[[Scene], None]) -> None:
    """Each is spawned, then exits, once, with its own status."""

    async def scene(host: AnyHost) -> None:
        children = [shell(host, f"exit {n % 99}", key=f"test:{n}") for n in range(300)]
        for child in children:
            await child.until("exited")
            child.close()
        assert [child.story for child in children] == [["spawned", "exited"]] * 300
        assert [child.status for child in children] == [ExitStatus(n % 99) for n in range(300)]

    play(scene)


def test_everything_in_the_plan_arrives(play: Callable[[Scene], None]) -> None:
    """Environment, directory, umask, redirect_stderr, and bytes that are no UTF-8."""

    async def scene(host: AnyHost) -> None:
        odd = os.fsdecode(b"\xff")
        child = shell(
            host,
            "pwd; umask; echo $A; echo err >&2",
            environment=(("A", odd + "ü"),),
            directory="/usr",
            umask=0o027,
            redirect_stderr=True,
        )
        await child.until("exited")
        assert child.pipes is not None
        assert child.pipes.stderr is None
        assert not os.get_blocking(stdout_of(child.pipes))
        text = read_all(os.dup(stdout_of(child.pipes)))
        assert text == b"/usr\n0027\n\xff" + "ü\nerr\n".encode()
        child.close()

    play(scene)


def test_a_socket_as_stdin(play: Callable[[Scene], None]) -> None:
    """No stdin pipe then; the caller may close its socket at once."""

    async def scene(host: AnyHost) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        child = shell(host, "test -S /dev/stdin", socket_fd=listener.fileno())
        await child.until("spawned")
        listener.close()
        await child.until("exited")
        assert child.status == ExitStatus(0)
        assert child.pipes is not None
        assert child.pipes.stdin is None
        child.close()

    play(scene)


def test_signals(play: Callable[[Scene], None]) -> None:
    """To the child or its group; refused ones come back, those for nobody do not."""

    async def scene(host: AnyHost) -> None:
        child = shell(host, "trap 'exit 3' TERM; echo ready; sleep 1000 & wait")
        await child.until("spawned")
        assert child.pipes is not None
        await asyncio.get_running_loop().run_in_executor(None, read_line, stdout_of(child.pipes))
        host.signal(child.key, child.pid, 999, to_group=False)
        await child.until("signal_failed")
        assert child.refused == errno.EINVAL
        host.signal("test:9", child.pid, signal.SIGKILL, to_group=False)
        host.signal(child.key, child.pid, signal.SIGTERM, to_group=True)
        await child.until("exited")
        assert child.status == ExitStatus(3)
        host.signal(child.key, child.pid, signal.SIGKILL, to_group=False)
        assert child.story == ["spawned", "signal_failed", "exited"]
        child.close()

    play(scene)


def read_line(fd: int) -> bytes:
    os.set_blocking(fd, True)
    return os.read(fd, 100)


def test_texts_come_from_the_child(play: Callable[[Scene], None]) -> None:
    """A program that cannot be run is a child that says so."""

    async def scene(host: AnyHost) -> None:
        child = spawn(host, "/none", directory="/usr")
        await child.until("exited")
        assert child.status == ExitStatus(127)
        assert child.pipes is not None
        assert child.pipes.stderr is not None
        text = read_all(os.dup(child.pipes.stderr))
        assert text.startswith(b"supervisor: couldn't exec /none: ENOENT\n")
        child.close()

    play(scene)


def test_strangers_are_reaped(keeper: KeeperProcess) -> None:
    """An orphan below the keeper is told of."""

    async def scene() -> None:
        async with keeper_host(keeper) as host:
            seen = asyncio.get_running_loop().create_future()
            host.on_unknown_reaped = lambda pid, status: seen.set_result(status)
            await host.hello()
            child = shell(host, "(sleep 0.05; exit 6) &")
            assert await asyncio.wait_for(seen, PATIENCE) == ExitStatus(6)
            await child.until("exited")
            child.close()

    asyncio.run(scene())


FAMILY = "(setsid sleep 60 &); echo they stand; exec sleep 60"


def test_a_tree_is_signalled_and_watched(play: Callable[[Scene], None]) -> None:
    """Also what has left its parent, its group and its session; the end is told when asked for."""

    async def scene(host: AnyHost) -> None:
        child = shell(host, FAMILY, tree=f"proctor-test.{os.getpid()}/test:1")
        child.keeps = True
        await child.until("spawned")
        await child.has_written()
        host.signal("test:1", child.pid, signal.SIGKILL, False)
        await child.until("exited")
        host.signal_tree("test:1", child.pid, 0, child)
        await child.until("left")
        assert len(child.left[0]) == 1
        host.signal_tree("test:1", child.pid, signal.SIGTERM, child)
        await child.until("all gone")
        host.acknowledge("test:1", child.pid)
        child.close()

    play(scene)


def test_a_tree_without_anybody_left(play: Callable[[Scene], None]) -> None:
    """It is asked for after the end, and there is nobody: that is told at once."""

    async def scene(host: AnyHost) -> None:
        child = shell(host, "exit 3")
        child.keeps = True
        await child.until("exited")
        host.signal_tree("test:1", child.pid, signal.SIGTERM, child)
        await child.until("all gone")
        assert child.left == [[]]
        host.acknowledge("test:1", child.pid)
        child.close()

    play(scene)


def test_another_daemon_goes_on(keeper: KeeperProcess) -> None:
    """It is told of the living and the dead, with their pipes, and hears of them from then on."""

    async def first() -> int:
        async with keeper_host(keeper) as host:
            assert (await host.hello()).children == ()
            living = shell(host, "read line; echo $line; exit 5", key="a:living", note="mine")
            dead = Child(host, "a:dead")
            host.spawn(SpawnPlan("a:dead", "/bin/sh", ("sh", "-c", "echo bye; exit 6")), dead)
            host.acknowledge = lambda key, pid: None  # type: ignore[method-assign]
            await dead.until("exited")
            await living.until("spawned")
            living.close()
            dead.close()
            with socket.create_server(("127.0.0.1", 0)) as listener:
                host.hold("http", listener.fileno())
            return living.pid

    async def second(pid: int) -> None:
        async with keeper_host(keeper) as host:
            holdings = await host.hello()
            assert holdings.restarts == 1
            assert holdings.last_end == ExitStatus(signal=9)
            children = {child.key: child for child in holdings.children}
            living, dead = children["a:living"], children["a:dead"]
            assert (living.pid, living.note, living.status) == (pid, "mine", None)
            assert dead.status == ExitStatus(6)
            assert living.started <= dead.ended <= host.now()
            socket.socket(fileno=holdings.descriptors["http"]).close()
            sinks = {}
            for held in (living, dead):
                sinks[held.key] = Child(host, held.key)
                sinks[held.key].pid, sinks[held.key].pipes = held.pid, held.pipes
                host.attach(held, sinks[held.key])
            assert living.pipes.stdin is not None
            os.write(living.pipes.stdin, b"again\n")
            await sinks["a:living"].until("exited")
            await sinks["a:dead"].until("exited")
            assert sinks["a:living"].status == ExitStatus(5)
            assert read_all(os.dup(stdout_of(living.pipes))) == b"again\n"
            assert read_all(os.dup(stdout_of(dead.pipes))) == b"bye\n"
            for sink in sinks.values():
                sink.close()

    pid = asyncio.run(first())
    [generation] = keeper.children()[:1] if keeper.children()[0] != pid else keeper.children()[1:]
    os.kill(generation, signal.SIGKILL)
    asyncio.run(second(pid))


def test_bye(keeper: KeeperProcess) -> None:
    """The keeper ends with that code once the daemon is gone."""

    async def scene() -> None:
        talk = keeper.next_talk()
        host = KeeperHost(asyncio.get_running_loop(), talk.sock)
        await host.hello()
        assert host.keeper_pid == keeper.pid
        host.bye(7)
        os.kill(talk.pid, signal.SIGKILL)

    asyncio.run(scene())
    assert keeper.process.wait(PATIENCE) == 7


def test_the_next_program_in_this_process_goes_on(keeper: KeeperProcess) -> None:
    """After `leave` nothing is half said: another host on the same socket is told everything."""

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        sock = keeper.next_talk().sock
        host = KeeperHost(loop, sock)
        await host.hello()
        for number in range(100):
            spawn(host, "/bin/true", key=f"old:{number}")
        assert host.leave() is sock
        host = KeeperHost(loop, sock)
        told = {child.key: child for child in (await host.hello()).children}
        assert set(told) == {f"old:{number}" for number in range(100)}
        fresh = spawn(host, "/bin/true", key="new:1")
        await fresh.until("exited")
        fresh.close()
        for child in told.values():
            for fd in (child.pipes.stdin, stdout_of(child.pipes), child.pipes.stderr):
                assert fd is not None
                os.close(fd)
        host.leave()

    asyncio.run(scene())


def test_a_lost_keeper(keeper: KeeperProcess) -> None:
    """Children live on, signals reach them, their end is seen; no new ones come."""

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        lost = loop.create_future()
        host = KeeperHost(loop, keeper.next_talk().sock)
        host.on_keeper_lost = lambda: lost.set_result(None)
        await host.hello()
        child = spawn(host, "/bin/sleep", "1000")
        await child.until("spawned")
        [daemon] = [pid for pid in keeper.children() if pid != child.pid]
        keeper.process.kill()
        await asyncio.wait_for(lost, PATIENCE)
        os.kill(daemon, signal.SIGKILL)
        late = spawn(host, "/bin/true", key="late:1")
        await late.until("spawn_failed")
        assert late.failure == SpawnFailure("keeper", errno.EPIPE)
        host.signal(child.key, child.pid, 999, to_group=False)
        await child.until("signal_failed")
        host.signal(child.key, child.pid, signal.SIGTERM, to_group=True)
        await child.until("exited")
        # Unknown only where process 1 is quick and the kernel old.
        assert child.status in (ExitStatus(), ExitStatus(signal=signal.SIGTERM))
        child.close()
        host.bye(0)

    asyncio.run(scene())


def test_no_descriptors_left_for_the_pipes(keeper: KeeperProcess) -> None:
    """The child is ended again and the spawn has failed; nothing is mixed up for the others."""

    async def scene() -> None:
        async with keeper_host(keeper) as host:
            await host.hello()
            with few_descriptors():
                child = spawn(host, "/bin/sleep", "1000")
                await child.until("spawn_failed")
            assert child.failure == SpawnFailure("pipe", errno.EMFILE)
            other = shell(host, "exit 8", key="test:2")
            await other.until("exited")
            assert other.status == ExitStatus(8)
            other.close()

    asyncio.run(scene())


@contextmanager
def few_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_one_sink_that_fails_harms_no_other(keeper: KeeperProcess) -> None:
    """The loop's exception handler hears of it."""

    async def scene() -> None:
        async with keeper_host(keeper) as host:
            await host.hello()
            heard: list[object] = []
            asyncio.get_running_loop().set_exception_handler(
                lambda _loop, context: heard.append(context["exception"])
            )
            bad = Child(host, "test:1")
            bad.spawned = lambda pid, pipes, at: 1 / 0  # type: ignore[assignment]
            host.spawn(SpawnPlan("test:1", "/bin/true", ("true",)), bad)
            good = spawn(host, "/bin/true", key="test:2")
            await good.until("exited")
            good.close()
            assert any(isinstance(error, ZeroDivisionError) for error in heard)

    asyncio.run(scene())


def test_hello_without_a_keeper() -> None:
    """Says so, instead of waiting."""

    async def scene() -> None:
        ours, theirs = socket.socketpair()
        theirs.close()
        host = KeeperHost(asyncio.get_running_loop(), ours)
        with pytest.raises(ConnectionError):
            await host.hello()

    asyncio.run(scene())
