"""The application: who asks, from where, and which face answers.

It speaks ASGI, so any ASGI server or middleware can stand in front of it.  The order of the checks
is: Host, login, path, method, other sites.  Paths are looked at in the original's order (compat
xmlrpc.md, section 1).
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from proctor.api.access import asked_by
from proctor.api.service import Service
from proctor.core.faults import Fault, FaultCode
from proctor.core.logins import Logins, asks_for_login
from proctor.daemon.activity_log import ActivityLog
from proctor.web import guard
from proctor.web.addresses import PAGES, is_api
from proctor.web.auth import Doorkeeper
from proctor.web.complaints import Complaints
from proctor.web.own_methods import OWN_METHODS
from proctor.web.request import (
    Message,
    Receive,
    Refusal,
    Request,
    Response,
    Scope,
    Send,
    end_stream,
)
from proctor.web.third_party import ThirdParty
from proctor.web.xmlrpc import Namespace, ServiceNamespace, XmlRpc

if TYPE_CHECKING:
    from proctor.web.classic import Classic
    from proctor.web.rest.all import Rest

WARNING = "Proctor-Warning"


class App:
    """One application for all servers; which of them a request came by is in its scope."""

    def __init__(
        self,
        service: Service,
        interfaces: Mapping[str, ThirdParty | None],
        log: ActivityLog,
        logins: Callable[[], Logins] = Logins,
    ) -> None:
        """`interfaces` as `third_party.load` made them; `logins` are those of the moment."""
        ours = ServiceNamespace(service)
        namespaces: dict[str, Namespace] = {
            name: theirs or ours for name, theirs in interfaces.items()
        }
        # Whoever lets nobody ask in the original's words wants nobody to ask in ours.
        if ours in namespaces.values():
            namespaces.setdefault("proctor", ServiceNamespace(service, OWN_METHODS))
        self._xmlrpc = XmlRpc(namespaces, log)
        self._service = service
        self._doorkeeper = Doorkeeper(log, logins)
        self._logins = logins
        self._complaints = Complaints(log)
        self._log = log

    @cached_property
    def _classic(self) -> Classic:
        from proctor.web.classic import Classic

        return Classic(self._service)

    @cached_property
    def _rest(self) -> Rest:
        from proctor.web.rest.all import Rest

        return Rest(self._service, self._complaints)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            response = await self._respond(request, scope)
        except Refusal as refusal:
            if refusal.status == 403:
                what = f"{request.method} {request.path} from {request.source}"
                self._complaints.say(f"refused {what}: {refusal.detail}")
            response = _refused(request, refusal)
        except Exception as error:
            response = _refused(request, self._failed(request, error))
        await _send(response, receive, send)

    def _failed(self, request: Request, error: Exception) -> Refusal:
        if isinstance(error, Fault) and error.code == FaultCode.FORBIDDEN:
            self._complaints.say(f"refused {request.source}: {error.detail}")
            return Refusal(403, "this login does not allow that")
        self._log.error(f"Web interface error: {traceback.format_exc()}")
        return Refusal(500)

    async def _respond(self, request: Request, scope: Scope) -> Response:
        asks = asks_for_login(request.settings, self._logins())
        await guard.check_host(request, asks)
        who = await self._doorkeeper.check(request)
        scope["user"] = who.user
        with asked_by(who):
            return await self._answer(request)

    async def _answer(self, request: Request) -> Response:
        path, method = request.path, request.method
        if path.startswith("/RPC2"):
            _only(method == "POST")
            guard.check_write(request)
            return await self._marked(await self._xmlrpc.answer(request))
        if path == "/logtail" or path.startswith("/logtail/"):
            _only(method == "GET")
            return await self._classic.process_log(request)
        if path.startswith("/mainlogtail"):
            _only(method == "GET")
            return await self._classic.main_log(request)
        if is_api(path):
            return await self._rest.answer(request)
        if path in PAGES and method in ("GET", "POST"):
            return await self._classic.page(request)
        _only(method in ("GET", "HEAD"))
        from proctor.web import static_files

        return await static_files.respond(request)

    async def _marked(self, response: Response) -> Response:
        """With what is wrong with the daemon in a header, which clients that do not know it do not
        see.
        """
        warnings = "; ".join(await self._service.get_warnings())
        if not warnings:
            return response
        value = warnings.encode("ascii", "backslashreplace").decode("ascii")
        return replace(response, headers=(*response.headers, (WARNING, value)))


def _refused(request: Request, refusal: Refusal) -> Response:
    if not is_api(request.path):
        return refusal.response()
    from proctor.web import problem

    return problem.of_refusal(refusal)


def _only(allowed: bool) -> None:
    """A wrong method has always been 400 here."""
    if not allowed:
        raise Refusal(400)


async def _send(response: Response, receive: Receive, send: Send) -> None:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in response.headers]
    start: Message = {
        "type": "http.response.start",
        "status": response.status,
        "headers": headers,
    }
    await send(start)
    if isinstance(response.body, bytes):
        await send({"type": "http.response.body", "body": response.body})
    else:
        await _send_stream(response.body, receive, send)


async def _send_stream(chunks: AsyncIterator[bytes], receive: Receive, send: Send) -> None:
    """Until the stream ends or the client goes, whichever comes first."""

    async def pump() -> None:
        # The head goes out at once, also when the log is silent: clients wait for it.
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def hear() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    tasks = [asyncio.ensure_future(pump()), asyncio.ensure_future(hear())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await end_stream(chunks)
