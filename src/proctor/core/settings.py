"""Settings of the daemon itself, of its servers and of its clients, as configured."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from proctor.core.caller import Role
    from proctor.core.logins import PeerRole


class DaemonSettings(NamedTuple):
    """[supervisord].  Paths are absolute; sizes are bytes; `logfile` None means syslog.

    `uid` None means: do not switch.  `environment` is for children only.
    `journal` None: none is kept; its bounds are bytes and days, 0 = none.
    `hup` says what SIGHUP asks for: "restart" or "apply"; `upgrade_timeout` is in seconds.
    """

    logfile: str | None
    pidfile: str
    childlogdir: str
    logfile_maxbytes: int = 50 * 1024 * 1024
    logfile_backups: int = 10
    loglevel: str = "info"
    umask: int = 0o022
    nodaemon: bool = False
    silent: bool = False
    minfds: int = 1024
    minprocs: int = 200
    nocleanup: bool = False
    uid: int | None = None
    directory: str | None = None
    strip_ansi: bool = False
    environment: tuple[tuple[str, str], ...] = ()
    identifier: str = "supervisor"
    keeper: bool = True
    hup: str = "restart"
    upgrade_timeout: int = 30
    on_orphan: str = "adopt"
    audit: bool = True
    journal: str | None = None
    journal_maxbytes: int = 20 * 1024 * 1024
    journal_maxdays: int = 90
    metrics: bool = True


class TlsSettings(NamedTuple):
    """Files in PEM format.  `keyfile` None: the key is in `certfile`.  With `client_ca` clients
    must show a certificate that it has signed."""

    certfile: str
    keyfile: str | None = None
    client_ca: str | None = None


class ServerSettings(NamedTuple):
    """One HTTP server.  Either `file` (a unix socket, absolute) or `host` and `port` are set.

    `host` "" listens on every interface.  `owner` is (uid, gid), -1 = leave alone.  `password` as
    written, in a form of `passwords.py`.  `peer_roles` are for unix sockets without a login.
    `section` is the name of its section, for messages.
    """

    section: str
    file: str | None = None
    mode: int = 0o700
    owner: tuple[int, int] | None = None
    host: str = ""
    port: int = 0
    username: str | None = None
    password: str | None = None
    peer_roles: tuple[PeerRole, ...] = ()
    tls: TlsSettings | None = None


class PluginSettings(NamedTuple):
    """An [rpcinterface:x] or [ctlplugin:x]: its name, its factory spec, all its other options.

    `role` is what callers need for the methods of an rpcinterface; None means admin.
    """

    name: str
    factory: str
    options: tuple[tuple[str, str], ...] = ()
    role: Role | None = None


class TrustSettings(NamedTuple):
    """For an `https://` server: files in PEM format with the authorities to trust (None: those of
    the machine), and with our own certificate and its key, where the server wants one."""

    cafile: str | None = None
    certfile: str | None = None
    keyfile: str | None = None


TRUST_OF_THE_MACHINE = TrustSettings()


class ClientSettings(NamedTuple):
    """[supervisorctl] and the ctl plug-ins of the main file.  `guessed`: nobody said which server,
    as there is no such file."""

    serverurl: str = "http://localhost:9001"
    username: str | None = None
    password: str | None = None
    prompt: str = "supervisor"
    history_file: str | None = None
    plugins: tuple[PluginSettings, ...] = ()
    trust: TrustSettings = TRUST_OF_THE_MACHINE
    guessed: bool = False


def server_url(servers: tuple[ServerSettings, ...]) -> str | None:
    """What children get as SUPERVISOR_SERVER_URL: the first unix server, else the last inet one.

    Source: compat config.md, section 7; gotcha G52.
    """
    for server in servers:
        if server.file is not None:
            return f"unix://{server.file}"
    for server in reversed(servers):
        scheme = "http" if server.tls is None else "https"
        host = "localhost" if server.host in ("", "::") else server.host
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{server.port}"
    return None
