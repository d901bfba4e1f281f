"""The faces: servers with their certificates and logins, and the plug-ins that answer there.

They are opened before anything is done, so a port that is taken ends the start; they accept
requests from `start` on, when there are groups to ask about.
"""

from __future__ import annotations

import socket

from proctor.api.room import CurrentConfiguration
from proctor.api.service import Service
from proctor.config.load import Configuration
from proctor.config.options.special import MAIN_RPCINTERFACE
from proctor.core.logins import Logins, asks_for_login
from proctor.core.settings import ServerSettings
from proctor.daemon.activity_log import ActivityLog
from proctor.daemon.shelf import Shelf
from proctor.duties.pools.judge import Handler
from proctor.posix import pidfile
from proctor.posix.last_words import tell
from proctor.posix.sockets import CannotListen
from proctor.survival.servers import forget_servers, open_servers
from proctor.web.app import App
from proctor.web.server import HttpServers
from proctor.web.third_party import PluginError, installed_facade, load, resolve


class Faces:
    """`open`, `start`, and in the end `close`; `current` is the configuration as last read."""

    def __init__(self, current: CurrentConfiguration, shelf: Shelf, log: ActivityLog) -> None:
        self._current = current
        self._shelf = shelf
        self._log = log
        self._service: Service | None = None
        self._servers: HttpServers | None = None

    def open(self, service: Service) -> None:
        """Load the plug-ins and take the sockets; whoever comes in asks this service.

        Raises PluginError, CannotListen.
        """
        self._service = service
        configuration = self._current.value
        interfaces = load(
            configuration.rpcinterfaces, resolve, lambda: self._facade(configuration), self._log
        )
        app = App(service, interfaces, self._log, self._logins)
        self._servers = HttpServers(app, self._log)
        for server in self._listen(configuration):
            asks = asks_for_login(server[0], configuration.logins)
            self._servers.add(*server, asks)

    def _listen(self, configuration: Configuration) -> list[tuple[ServerSettings, socket.socket]]:
        servers = sorted(configuration.servers, key=lambda each: each.file is not None)
        try:
            return open_servers(servers, self._shelf, tell)
        except CannotListen as error:
            path = configuration.daemon.pidfile
            twin = pidfile.living_supervisor(path)
            if twin is not None:
                error.add_note(f"a supervisord runs with pid {twin} ({path})")
            raise

    async def start(self) -> None:
        """Accept requests."""
        assert self._servers is not None, "they are opened first"
        await self._servers.start()

    def renew_certificates(self, configuration: Configuration) -> None:
        """Those of the files that are named there now."""
        if self._servers is not None:
            self._servers.renew_certificates(configuration.servers)

    async def finish(self, seconds: float) -> None:
        """Let requests under way be answered, for so long at most, and accept no others."""
        if self._servers is not None:
            await self._servers.finish(seconds)

    def close(self, leave: bool) -> None:
        """`leave` the sockets to another daemon: who connects meanwhile is not refused."""
        if self._servers is None:
            return
        if not leave:
            forget_servers(self._current.value.servers, self._shelf)
        self._servers.close(leave)

    def result_handler(self, spec: str) -> Handler:
        """A plug-in's handler gets events as plug-ins know them, where somebody can make these."""
        handler, make = resolve(spec), installed_facade()
        return handler if make is None else make(self._service).result_handler(handler)

    def _logins(self) -> Logins:
        return self._current.value.logins

    def _facade(self, configuration: Configuration) -> object:
        make = installed_facade()
        if make is None:
            names = [p.name for p in configuration.rpcinterfaces if p.factory != MAIN_RPCINTERFACE]
            raise PluginError(
                f"Could not make {', '.join(names)} rpc interface: plug-ins need the package"
                " named supervisor that comes with Proctor (compat/)"
            )
        return make(self._service)
