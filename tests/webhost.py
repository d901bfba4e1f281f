"""A real server on real sockets over a made-up Service, for the tests of web/.

It runs in a thread of its own, so that tests may use blocking sockets and foreign clients.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar, cast

import pytest

from proctor.api.access import caller
from proctor.api.event_feed import Entry, EventFeed
from proctor.api.service import Service
from proctor.core.caller import Caller
from proctor.core.cause import Cause, CauseKind
from proctor.core.changes import Change, GroupChange, Plan
from proctor.core.exits import ExitStatus
from proctor.core.faults import Fault, FaultCode
from proctor.core.history import Birth, Explanation, Run, RunOutput, Step
from proctor.core.info import ActionResult, ProcessInfo
from proctor.core.logins import Logins, PeerRole, asks_for_login
from proctor.core.settings import ServerSettings, TlsSettings
from proctor.core.states import SupervisorState
from proctor.core.upgrades import Stage, UpgradeNews
from proctor.daemon.activity_log import ActivityLog, Level
from proctor.daemon.bus import EventBus
from proctor.posix.sockets import open_server
from proctor.web.app import App
from proctor.web.house import Limits
from proctor.web.request import AsgiApp
from proctor.web.server import HttpServers
from proctor.web.third_party import ThirdParty
from support.waiting import GENEROUS

T = TypeVar("T")


def an_info(name: str, group: str = "", **more: object) -> ProcessInfo:
    """A running process."""
    values: dict[str, object] = {
        "name": name, "group": group or name, "start": 1_700_000_000, "stop": 0,
        "now": 1_700_000_015, "state": 20, "statename": "RUNNING", "spawnerr": "", "exitstatus": 0,
        "logfile": f"/var/log/{name}.log", "stdout_logfile": f"/var/log/{name}.log",
        "stderr_logfile": "", "pid": 4711, "description": "pid 4711, uptime 0:00:15",
    }  # fmt: skip
    return ProcessInfo(**{**values, **more})  # type: ignore[arg-type]


class FakeService:
    """Answers like the Service of api; remembers what was asked of it."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        # Who asked for the pid.
        self.callers: list[Caller] = []
        self.warnings: list[str] = []
        self.infos = [an_info("cat"), an_info("web_0", "web"), an_info("猫")]
        self.log = "hello\n"
        self.followers = 0
        self.released = threading.Event()
        self.feed = EventFeed(EventBus(lambda text: None))

    def _one(self, name: str) -> ProcessInfo:
        group, _, process = name.partition(":")
        for info in self.infos:
            if (info.group, info.name) == (group, process or group):
                return info
        raise Fault.bad_name(name)

    async def get_api_version(self) -> str:
        return "3.0"

    async def get_supervisor_version(self) -> str:
        return "4.3.0"

    async def get_identification(self) -> str:
        return "supervisor"

    async def get_state(self) -> SupervisorState:
        return SupervisorState.RUNNING

    async def get_warnings(self) -> list[str]:
        return self.warnings

    async def get_pid(self) -> int:
        self.callers.append(caller())
        return 42

    async def read_log(self, offset: int, length: int) -> str:
        self.calls.append(("read_log", offset, length))
        return self.log

    async def clear_log(self) -> bool:
        self.calls.append(("clear_log",))
        return True

    async def shutdown(self) -> bool:
        self.calls.append(("shutdown",))
        return True

    async def restart(self) -> bool:
        self.calls.append(("restart",))
        return True

    async def reload_config(self) -> tuple[list[str], list[str], list[str]]:
        return ["new"], [], ["old"]

    async def why(self, name: str) -> Explanation:
        return Explanation(f"{name}:{name}", "STOPPED", f"{name} is STOPPED.", (Step(1.5, "x"),))

    async def history(self, name: str, since: float = 0.0, limit: int = 100) -> list[Run]:
        cause = Cause(CauseKind.REQUEST, "alice")
        birth = Birth(f"{name}:{name}", 12, 1.0)
        return [Run(limit, birth, since, cause, end=since + 1, status=ExitStatus(1))]

    async def run_output(self, name: str, run: int = 0, channel: str = "stdout") -> RunOutput:
        return RunOutput(run, channel, f"{name} says\n", True)

    async def get_file_warnings(self) -> list[str]:
        return ["unknown option 'startsec'"]

    async def diff(self) -> Plan:
        return Plan((GroupChange("web", Change.ADDED, starts=("web:web_0",)),))

    async def get_proctor_version(self) -> str:
        return "0.1.0"

    async def upgrade(self) -> UpgradeNews:
        return UpgradeNews("t", Stage.PENDING, "0.1.0", "0.1.1")

    async def upgraded(self, ticket: str) -> UpgradeNews:
        return UpgradeNews(ticket, Stage.DONE, "0.1.0", "0.1.1")

    async def apply(self) -> Plan:
        return replace(await self.diff(), problems=("web: no",))

    async def add_process_group(self, name: str) -> bool:
        raise Fault(FaultCode.ALREADY_ADDED, name)

    async def update_process_group(self, name: str) -> list[ActionResult]:
        return [ActionResult(name, name)]

    async def remove_process_group(self, name: str) -> bool:
        raise Fault(FaultCode.STILL_RUNNING, name)

    async def start_process(self, name: str, wait: bool = True) -> bool | list[ActionResult]:
        self.calls.append(("start_process", name, wait))
        if name == "slow":
            await asyncio.to_thread(self.released.wait)
            return True
        if name == "bug":
            raise RuntimeError("no such luck")
        self._one(name)
        if name == "cat":
            raise Fault(FaultCode.ALREADY_STARTED, name)
        return True

    async def start_process_group(self, name: str, wait: bool = True) -> list[ActionResult]:
        self.calls.append(("start_process_group", name, wait))
        return [ActionResult("web_0", "web")]

    async def start_all_processes(self, wait: bool = True) -> list[ActionResult]:
        self.calls.append(("start_all_processes", wait))
        return [ActionResult("cat", "cat")]

    async def stop_process(self, name: str, wait: bool = True) -> bool | list[ActionResult]:
        self.calls.append(("stop_process", name, wait))
        self._one(name)
        return True

    async def stop_process_group(self, name: str, wait: bool = True) -> list[ActionResult]:
        self.calls.append(("stop_process_group", name, wait))
        return [ActionResult("web_0", "web")]

    async def stop_all_processes(self, wait: bool = True) -> list[ActionResult]:
        self.calls.append(("stop_all_processes", wait))
        return [ActionResult("cat", "cat")]

    async def signal_process(self, name: str, signal: str | int) -> bool | list[ActionResult]:
        self.calls.append(("signal_process", name, signal))
        return True

    async def signal_process_group(self, name: str, signal: str | int) -> list[ActionResult]:
        self.calls.append(("signal_process_group", name, signal))
        return [ActionResult("web_0", "web")]

    async def signal_all_processes(self, signal: str | int) -> list[ActionResult]:
        self.calls.append(("signal_all_processes", signal))
        return [ActionResult("cat", "cat")]

    async def get_process_info(self, name: str) -> ProcessInfo:
        return self._one(name)

    async def get_all_process_info(self) -> list[ProcessInfo]:
        return self.infos

    async def get_all_config_info(self) -> list[dict[str, object]]:
        keys = ("autostart", "inuse", "group_prio", "process_prio", "killasgroup", "exitcodes")
        return [
            {"name": info.name, "group": info.group, **dict.fromkeys(keys, True)}
            for info in self.infos
        ]

    async def read_process_stdout_log(self, name: str, offset: int, length: int) -> str:
        self.calls.append(("read_process_stdout_log", name, offset, length))
        self._one(name)
        return self.log

    async def read_process_stderr_log(self, name: str, offset: int, length: int) -> str:
        raise Fault(FaultCode.NO_FILE)

    async def tail_process_stdout_log(
        self, name: str, offset: int, length: int
    ) -> tuple[str, int, bool]:
        return self.log[-length:], len(self.log), False

    async def tail_process_stderr_log(
        self, name: str, offset: int, length: int
    ) -> tuple[str, int, bool]:
        return "", 0, False

    async def clear_process_logs(self, name: str) -> bool:
        self.calls.append(("clear_process_logs", name))
        self._one(name)
        return True

    async def clear_all_process_logs(self) -> list[ActionResult]:
        return [ActionResult("cat", "cat")]

    async def send_process_stdin(self, name: str, chars: str) -> bool:
        self.calls.append(("send_process_stdin", name, chars))
        return True

    async def send_remote_comm_event(self, type: str, data: str) -> bool:
        self.calls.append(("send_remote_comm_event", type, data))
        return True

    async def follow_log(self, name: str, channel: str = "stdout") -> AsyncIterator[bytes]:
        self._one(name)
        if channel not in ("stdout", "stderr"):
            raise Fault(FaultCode.NO_FILE, channel)
        return self._follow()

    async def follow_events(
        self, kinds: list[str], after: str | None = None
    ) -> AsyncIterator[list[Entry]]:
        return self.feed.follow(kinds, after, caller())

    def process_now(self, group: str, name: str) -> dict[str, object]:
        return {"id": f"{group}:{name}"}

    def group_now(self, name: str) -> list[object]:
        return []

    async def follow_main_log(self) -> AsyncIterator[bytes]:
        return self._follow()

    async def _follow(self) -> AsyncIterator[bytes]:
        self.followers += 1
        try:
            yield b"last words\n"
            await asyncio.Event().wait()
        finally:
            self.followers -= 1


def needs_ipv6() -> None:
    """Skip this test where the machine has no IPv6, as containers often have none."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")


class Served:
    """A running server: its service, its log, its addresses."""

    def __init__(
        self,
        directory: Path,
        *,
        username: str | None = None,
        password: str | None = None,
        limits: Limits | None = None,
        host: str = "127.0.0.1",
        interfaces: Mapping[str, ThirdParty | None] | None = None,
        app: AsgiApp | None = None,
        level: Level = Level.TRACE,
        logins: Logins | None = None,
        peer_roles: tuple[PeerRole, ...] = (),
        tls: TlsSettings | None = None,
    ) -> None:
        self.service = FakeService()
        self._reach = host if host == "::1" else "127.0.0.1"
        self.logins = logins or Logins()
        self.lines: list[str] = []
        self.log = ActivityLog(level)
        self.log.attach(lambda data: self.lines.append(data.decode()))
        self.path = str(directory / "s.sock")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.bus = EventBus(self.log.critical)
        self.service.feed = EventFeed(self.bus)
        service = cast(Service, self.service)
        app = app or App(service, interfaces or {"supervisor": None}, self.log, lambda: self.logins)
        self.servers = HttpServers(app, self.log, limits)
        tcp = ServerSettings(
            "inet_http_server", host=host, username=username, password=password, tls=tls
        )
        unix = ServerSettings(
            "unix_http_server",
            file=self.path,
            username=username,
            password=password,
            peer_roles=peer_roles,
        )
        sock = open_server(tcp)
        self.port: int = sock.getsockname()[1]
        for each, its in ((tcp, sock), (unix, open_server(unix))):
            self.servers.add(each, its, asks_for_login(each, self.logins))
        asyncio.run_coroutine_threadsafe(self.servers.start(), self._loop).result(GENEROUS)

    def on_loop(self, function: Callable[[], T]) -> T:
        """Run in the server's thread."""

        async def run() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(GENEROUS)

    def tcp(self) -> socket.socket:
        """A client over TCP."""
        return socket.create_connection((self._reach, self.port), timeout=GENEROUS)

    def unix(self) -> socket.socket:
        """A client over the unix socket."""
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(GENEROUS)
        client.connect(self.path)
        return client

    def ask(self, data: bytes, *, unix: bool = False) -> Reply:
        """Send bytes on a new connection, read one reply."""
        with self.unix() if unix else self.tcp() as client:
            client.sendall(data)
            return read_reply(client)

    def _let_all_in(self) -> None:
        """A client that asyncio is just letting in while its server closes is forgotten, unclosed.

        They are let in in order: when a last one has been heard, so have all before it.
        """
        for last in (self.tcp(), self.unix()):
            with last, contextlib.suppress(ConnectionError):
                last.sendall(b"?\r\n\r\n")
                last.recv(1)

    def close(self) -> None:
        """Stop, and leave nothing behind."""
        self.service.released.set()
        self._let_all_in()

        async def end() -> None:
            self.servers.close()
            # Connections that were just being accepted come to life now, and are closed as well.
            await asyncio.gather(
                *asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True
            )
            self.servers.close()
            await asyncio.sleep(0)
            await self._loop.shutdown_asyncgens()
            await self._loop.shutdown_default_executor()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(GENEROUS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(GENEROUS)
        self._loop.close()


class Reply:
    """One HTTP reply."""

    def __init__(self, head: bytes, body: bytes) -> None:
        start, *fields = head.decode("latin-1").split("\r\n")
        self.version, status, self.reason = start.split(" ", 2)
        self.status = int(status)
        pairs = (field.partition(": ")[::2] for field in fields)
        self.headers = dict(pairs)
        self.body = body


def read_reply(client: socket.socket, *, head_only: bool = False) -> Reply:
    """Read one reply from a connection.  ConnectionError when there is none."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = client.recv(1)
        if not more:
            raise ConnectionError(f"closed after {data!r}")
        data += more
    reply = Reply(data[:-4], b"")
    rest = b""
    length = None if head_only else reply.headers.get("Content-Length")
    while length is not None and len(rest) < int(length):
        rest += client.recv(int(length) - len(rest))
    reply.body = rest
    return reply


def a_call(method: str, *values: str) -> bytes:
    """A methodCall; values are XML."""
    params = "".join(f"<param><value>{value}</value></param>" for value in values)
    text = f"<methodCall><methodName>{method}</methodName><params>{params}</params></methodCall>"
    return text.encode()


def a_post(body: bytes, *headers: str, path: str = "/RPC2", version: str = "1.1") -> bytes:
    """A POST request."""
    lines = [f"POST {path} HTTP/{version}", "Host: localhost", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


def a_get(path: str, *headers: str, version: str = "1.1", method: str = "GET") -> bytes:
    """A request without a body."""
    lines = [f"{method} {path} HTTP/{version}"]
    if not any(header.lower().startswith("host:") for header in headers):
        lines.append("Host: localhost")
    return "\r\n".join([*lines, *headers, "", ""]).encode()
