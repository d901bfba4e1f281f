"""Sections to settings: the daemon, its servers and its RPC interfaces.

Options are read in the original's order, so that the first mistake found is the one it would name.
Source: compat config.md, sections 6, 7 and 10.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from proctor.config.environment import parse_environment
from proctor.config.expand import expand_again
from proctor.config.ini import Section, Sections
from proctor.config.options import servers as server_rows
from proctor.config.options import supervisord as rows
from proctor.config.options.special import MAIN_RPCINTERFACE, RPC_FACTORY, RPC_ROLE
from proctor.config.plugins import build_plugin, check_factory
from proctor.config.problems import Problem
from proctor.config.reader import Context, Reader
from proctor.core.settings import DaemonSettings, PluginSettings, ServerSettings, TlsSettings

# What the system takes, without the 0 behind it.
_LONGEST_ADDRESS = 107
_PEM = "a file in PEM format that this user can read"


def build_daemon(
    sections: Sections, path: str, overrides: Mapping[str, object], context: Context
) -> DaemonSettings | None:
    """[supervisord] with the command line over it; None, and a Problem, when there is none.

    Afterwards the context knows the variables of its `environment`, for all later sections.
    """
    section = sections.get("supervisord")
    if section is None:
        text = ".ini file does not include supervisord section"
        context.findings.add(Problem(text, hint=f"add a line [supervisord] to {path}"))
        return None
    reader = Reader(section, context, overrides=overrides)
    settings = _settings(reader, context)
    _look_twice(reader, settings)
    context.names.update((f"ENV_{key}", value) for key, value in settings.environment)
    return settings


def _settings(reader: Reader, context: Context) -> DaemonSettings:
    get = reader.get

    def path(text: str | None) -> str | None:
        return None if text is None else _absolute(text, context)

    settings = DaemonSettings(
        minfds=get(rows.MINFDS),
        minprocs=get(rows.MINPROCS),
        directory=path(get(rows.DIRECTORY_OPTION)),
        umask=get(rows.UMASK),
        logfile=path(_none_for_syslog(get(rows.LOGFILE))),
        logfile_maxbytes=get(rows.LOGFILE_MAXBYTES),
        logfile_backups=get(rows.LOGFILE_BACKUPS),
        loglevel=get(rows.LOGLEVEL),
        pidfile=_absolute(get(rows.PIDFILE), context),
        identifier=get(rows.IDENTIFIER),
        nodaemon=get(rows.NODAEMON),
        silent=get(rows.SILENT),
        childlogdir=_absolute(get(rows.CHILDLOGDIR) or context.world.temporary_directory, context),
        nocleanup=get(rows.NOCLEANUP),
        strip_ansi=get(rows.STRIP_ANSI),
        environment=_environment(reader),
        keeper=get(rows.KEEPER),
        on_orphan=get(rows.ON_ORPHAN_OPTION),
        hup=get(rows.HUP),
        upgrade_timeout=get(rows.UPGRADE_TIMEOUT),
        audit=get(rows.AUDIT),
        journal_maxbytes=get(rows.JOURNAL_MAXBYTES),
        journal_maxdays=get(rows.JOURNAL_MAXDAYS),
        metrics=get(rows.METRICS),
        uid=get(rows.USER_NAME),
    )
    return settings._replace(journal=_journal(get(rows.JOURNAL_FILE), settings, context))


def _none_for_syslog(path: str) -> str | None:
    return None if path.lower() == "syslog" else path


def _journal(value: str, settings: DaemonSettings, context: Context) -> str | None:
    """AUTO is beside a file that no other daemon has, and that the next one has too."""
    if value == "NONE":
        return None
    if value != "AUTO":
        return _absolute(value, context)
    for path, ending in ((settings.logfile, ".log"), (settings.pidfile, ".pid")):
        if path is not None and not path.startswith(("/dev/", "/proc/")):
            return f"{path.removesuffix(ending)}.journal"
    return None


def _absolute(path: str, context: Context) -> str:
    return posixpath.normpath(posixpath.join(context.world.cwd, path))


def _environment(reader: Reader) -> tuple[tuple[str, str], ...]:
    text = reader.text(rows.ENVIRONMENT)
    if text is None:
        return ()
    return read_environment(reader, expand_again(text, reader.names))


def read_environment(reader: Reader, text: str) -> tuple[tuple[str, str], ...]:
    """The pairs of an expanded `environment`; empty, and a Problem, when it cannot be read."""
    try:
        environment = parse_environment(text)
    except ValueError as error:
        expected = 'KEY=value pairs with commas between them; quote other characters: KEY="a b"'
        reader.fail(str(error), "environment", expected)
        return ()
    for key in environment.shortened:
        said = f"[{reader.section.name}] environment: the value of {key} is shortened"
        reader.warn(f"{said}; put it in quotes", "environment")
    return environment.pairs


def _look_twice(reader: Reader, settings: DaemonSettings) -> None:
    """What shows when all is read: a directory for a file, and what is legal and yet surprises
    people (gotchas G17, G38).
    """
    if any(char.isspace() for char in settings.identifier):
        reader.warn("identifier has blanks in it: event listeners will misread it", "identifier")
    if settings.logfile is not None and reader.context.world.is_directory(settings.logfile):
        reader.fail(f"logfile: {settings.logfile} is a directory", "logfile", "the path of a file")
    for option in (rows.UMASK, rows.DIRECTORY_OPTION) if settings.nodaemon else ():
        if reader.has(option):
            reader.warn(f"{option.name} has no effect in the foreground (nodaemon)", option.name)


def build_rpcinterfaces(sections: Sections, context: Context) -> tuple[PluginSettings, ...]:
    """All [rpcinterface:x]."""
    plugins = []
    for section in sections.starting_with("rpcinterface:"):
        plugin = build_plugin(section, RPC_FACTORY, context, RPC_ROLE.name)
        if plugin is None:
            continue
        plugin = plugin._replace(role=Reader(section, context).get(RPC_ROLE))
        # Our own interface is known by its name, also where the compatibility package is missing.
        if plugin.factory != MAIN_RPCINTERFACE:
            check_factory(Reader(section, context), plugin.factory, RPC_FACTORY.name)
        plugins.append(plugin)
    return tuple(plugins)


def build_servers(sections: Sections, context: Context) -> tuple[ServerSettings, ...]:
    """All servers, TCP before unix as the original opens them."""
    inet = [_inet(section, context) for section in sections.starting_with("inet_http_server")]
    unix = [_unix(section, context) for section in sections.starting_with("unix_http_server")]
    return (*inet, *unix)


def _inet(section: Section, context: Context) -> ServerSettings:
    reader = Reader(section, context)
    username, password = _login(reader)
    address = reader.get(server_rows.PORT)
    if not reader.has(server_rows.PORT):
        reader.fail(f"section [{section.name}] has no port value")
    host, port = address or ("", 0)
    return ServerSettings(
        section.name,
        host=host,
        port=port,
        username=username,
        password=password,
        tls=_tls(reader, context),
    )


def _tls(reader: Reader, context: Context) -> TlsSettings | None:
    """None without a certificate; also when it cannot be used, which is a mistake of the file."""
    rows_of_files = (server_rows.CERTFILE, server_rows.KEYFILE, server_rows.CLIENT_CA)
    certfile, keyfile, client_ca = (
        None if path is None else _absolute(context.world.expand_user(path), context)
        for path in map(reader.get, rows_of_files)
    )
    if certfile is None:
        for option in (server_rows.KEYFILE, server_rows.CLIENT_CA):
            if reader.has(option):
                text = f"section [{reader.section.name}] has {option.name} but no certfile"
                reader.fail(text, option.name)
        return None
    tls = TlsSettings(certfile, keyfile, client_ca)
    problem = context.world.why_no_tls(tls)
    if problem is not None:
        name, reason = problem
        reader.fail(f"[{reader.section.name}] {name}: cannot be used: {reason}", name, _PEM)
        return None
    return tls


def _unix(section: Section, context: Context) -> ServerSettings:
    reader = Reader(section, context)
    file = reader.get(server_rows.FILE)
    if not file and (file is not None or not reader.has(server_rows.FILE)):
        reader.fail(f"section [{section.name}] has no file value", "file")
    mode, owner = reader.get(server_rows.CHMOD), reader.get(server_rows.CHOWN)
    username, password = _login(reader)
    path = _absolute(context.world.expand_user(file or ""), context)
    if len(path.encode("utf-8", "surrogateescape")) > _LONGEST_ADDRESS:
        text = "Cannot open an HTTP server: socket.error reported AF_UNIX path too long"
        reader.fail(text, "file", f"a path of at most {_LONGEST_ADDRESS} bytes")
    return ServerSettings(
        section.name,
        file=path,
        mode=mode,
        owner=owner,
        username=username,
        password=password,
        peer_roles=reader.get(server_rows.PEERS),
    )


def _login(reader: Reader) -> tuple[str | None, str | None]:
    username, password = reader.get(server_rows.USERNAME), reader.get(server_rows.PASSWORD)
    if (username is None) != (password is None):
        reader.fail(
            f"Section [{reader.section.name}] contains incomplete authentication: "
            "If a username or a password is specified, both the username and password must be "
            "specified",
            "username" if password is None else "password",
        )
    return username, password
