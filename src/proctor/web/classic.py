"""The old pages and URLs: a plain table, its actions, the end of a log, and endless log streams.

Markup is ours; paths, parameters, messages and headers are the original's (compat web.md).
Actions work by GET, as scripts expect; browsers that no page of ours led here are asked first, and
other sites are refused (gotcha G29; scenarios.md, section 1, rule 3).
At `/` the table stands behind the live page for scripts that read it; a browser without scripts is
led on to a page with the table alone.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol
from urllib.parse import quote

from proctor.core.faults import Fault, FaultCode
from proctor.core.info import ActionResult, ProcessInfo
from proctor.web import guard
from proctor.web.classic_table import body_of
from proctor.web.confirm import question
from proctor.web.markup import SECURITY, Markup, element, light_live_page, live_page, plain_page
from proctor.web.request import Refusal, Request, Response, error_page, http_date
from proctor.web.slots import Slots

MIN_TAIL = 1024
MAX_TAIL = 8 * 1024 * 1024


class PageService(Protocol):
    """What the pages ask of the Service."""

    async def get_all_process_info(self) -> list[ProcessInfo]:
        """All processes."""

    async def get_process_info(self, name: str) -> ProcessInfo:
        """One process, or Fault BAD_NAME."""

    async def start_process(self, name: str, wait: bool = True) -> bool | list[ActionResult]:
        """Start one."""

    async def stop_process(self, name: str, wait: bool = True) -> bool | list[ActionResult]:
        """Stop one."""

    async def start_all_processes(self, wait: bool = True) -> list[ActionResult]:
        """Start all."""

    async def stop_all_processes(self, wait: bool = True) -> list[ActionResult]:
        """Stop all."""

    async def clear_process_logs(self, name: str) -> bool:
        """Empty its logs."""

    async def read_process_stdout_log(self, name: str, offset: int, length: int) -> str:
        """A range of its log."""

    async def follow_log(self, name: str, channel: str = "stdout") -> AsyncIterator[bytes]:
        """An endless tail."""

    async def follow_main_log(self) -> AsyncIterator[bytes]:
        """An endless tail of the main log."""


_NOT_CACHED = (
    ("Pragma", "no-cache"),
    ("Cache-Control", "no-cache"),
    ("Expires", "Thu, 01 Jan 1970 00:00:00 GMT"),
)

_WHY: dict[int, str] = {
    FaultCode.NO_FILE: "no such file",
    FaultCode.NOT_EXECUTABLE: "file not executable",
    FaultCode.ALREADY_STARTED: "already started",
    FaultCode.SPAWN_ERROR: "spawn error",
    FaultCode.ABNORMAL_TERMINATION: "abnormal termination",
}


def _html(html: str) -> Response:
    kind = (("Content-Type", "text/html;charset=utf-8"),)
    return Response(200, (*kind, *_NOT_CACHED, *SECURITY), html.encode())


class Classic:
    """Pages and streams over one Service."""

    def __init__(self, service: PageService) -> None:
        self._service = service
        self._slots = Slots()

    async def page(self, request: Request) -> Response:
        """`/`, `/index.html`, `/tail.html`, `/ok.html`."""
        if request.path == "/ok.html":
            return Response(200, (("Content-Type", "text/plain"),), b"OK")
        form = await request.form()
        if request.path == "/tail.html":
            return await self._tail_page(form)
        if action := form.get("action"):
            if guard.was_not_led_here(request) and (asking := question(form)):
                return _html(asking)
            guard.check_write(request)
            return _redirect(request, await self._act(action, form.get("processname")))
        message = form.get("message", "")
        if "plain" in form:
            return _html(plain_page("Supervisor Status", *await self._table(message)))
        if _shows_pages(request):
            # The table of a thousand programs takes 30 ms and 500 KB, and is seen by nobody.
            return _html(light_live_page(f"index.html?plain=1&message={quote(message, safe='')}"))
        return _html(live_page(*await self._table(message)))

    # Streams

    async def process_log(self, request: Request) -> Response:
        """`/logtail/<name>[/<channel>]`; 404 for whatever cannot be followed (gotcha G75)."""
        parts = request.path.split("/")[2:]
        name, channel = parts[0] if parts else "", parts[1] if len(parts) > 1 else "stdout"
        if not name or len(parts) > 2:
            raise Refusal(404)
        return await self._stream(request, self._service.follow_log(name, channel))

    async def main_log(self, request: Request) -> Response:
        """`/mainlogtail`."""
        return await self._stream(request, self._service.follow_main_log())

    async def _stream(
        self, request: Request, following: Awaitable[AsyncIterator[bytes]]
    ) -> Response:
        try:
            chunks = await following
        except Fault as fault:
            if fault.code == FaultCode.FORBIDDEN:
                raise
            raise Refusal(404) from None
        headers = (
            ("Last-Modified", http_date(int(time.time()))),
            ("Content-Type", "text/plain;charset=utf-8"),
            ("X-Accel-Buffering", "no"),
            ("X-Content-Type-Options", "nosniff"),
        )
        return Response(200, headers, self._slots.held(request, chunks))

    # Pages

    async def _table(self, message: str) -> list[Markup]:
        try:
            infos = await self._service.get_all_process_info()
        except Fault as fault:
            infos, message = [], _unexpected(fault)
        return body_of(infos, message)

    async def _tail_page(self, form: dict[str, str]) -> Response:
        name = form.get("processname")
        if not name:
            message = element("pre", "No process name found")
            return _html(plain_page("Supervisor tail of process None", message))
        try:
            limit = min(max(int(form.get("limit", "")), MIN_TAIL), MAX_TAIL)
        except ValueError:
            limit = MIN_TAIL
        again = f"tail.html?processname={quote(name, safe='')}&limit={limit}"
        text = element("pre", await self._tail(name, limit))
        title = f"Supervisor tail of process {name}"
        refresh = element("p", element("a", "Refresh", href=again))
        return _html(plain_page(title, text, refresh))

    async def _tail(self, name: str, limit: int) -> str:
        try:
            return await self._service.read_process_stdout_log(name, -limit, 0)
        except Fault as fault:
            if fault.code == FaultCode.NO_FILE:
                return f"No file for {name}"
            return f"ERROR: {_unexpected(fault)}"

    # Actions

    async def _act(self, action: str, name: str | None) -> str:
        """Do it; answers with what to tell the user."""
        now = time.asctime
        match action:
            case "refresh":
                return f"Page refreshed at {now()}"
            case "stopall":
                await self._service.stop_all_processes(True)
                return f"All stopped at {now()}"
            case "restartall":
                await self._service.stop_all_processes(True)
                await self._service.start_all_processes(True)
                return f"All restarted at {now()}"
            case "start" | "stop" | "restart" | "clearlog" if name:
                return await self._act_on(action, name)
            case "start" | "stop" | "restart" | "clearlog":
                return f"No process name given for action {action}"
        return f"Unknown action {action}"

    async def _act_on(self, action: str, name: str) -> str:
        try:
            await self._service.get_process_info(name)
        except Fault as fault:
            if fault.code == FaultCode.BAD_NAME:
                return f"No such process named {name}"
            return _unexpected(fault)
        try:
            match action:
                case "start":
                    await self._service.start_process(name, True)
                    return f"Process {name} started"
                case "stop":
                    await self._service.stop_process(name, True)
                    return f"Process {name} stopped"
                case "clearlog":
                    await self._service.clear_process_logs(name)
                    return f"Log for {name} cleared"
        except Fault as fault:
            if action != "start":
                return _unexpected(fault)
            return f"ERROR: Process {name}: {_WHY.get(fault.code) or _unexpected(fault)}"
        await _whatever_comes(self._service.stop_process, name)
        await _whatever_comes(self._service.start_process, name)
        return f"Process {name} restarted"


async def _whatever_comes(verb: Callable[[str, bool], Awaitable[object]], name: str) -> None:
    """Half of a restart: its refusal is not told, as in the original."""
    try:
        await verb(name, True)
    except Fault:
        return


def _shows_pages(request: Request) -> bool:
    """Whether it is surely a browser that shows what we answer: scripts do not send these."""
    headers = request.headers
    upgrades = headers.get("upgrade-insecure-requests")
    return headers.get("sec-fetch-dest") == "document" or upgrades == "1"


def _unexpected(fault: Fault) -> str:
    return f"unexpected rpc fault [{fault.code}] {fault.text}"


def _redirect(request: Request, message: str) -> Response:
    """301, as clients check for it, but never cached (gotcha G78)."""
    host = request.headers.get("host") or f"localhost:{request.settings.port or 80}"
    here = f"https://{host}" if request.settings.tls else f"http://{host.removesuffix(':80')}"
    place = guard.place_of_visitor(request) or here
    location = f"{place}/?message={quote(message, safe='')}"
    headers = (("Location", location), ("Content-Type", "text/html"), *_NOT_CACHED)
    return Response(301, headers, error_page(301))
