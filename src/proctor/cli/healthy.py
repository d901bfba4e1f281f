"""proctor healthy: one line and an exit status, for HEALTHCHECK and the like.

It asks /readyz, or /livez with --live, and gives up by itself: whoever runs such checks may wait
for them for ever.
"""

from __future__ import annotations

import signal
import sys

from proctor.cli.options import UsageError
from proctor.client.connection import Connection, ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from proctor.cli.options import CommandLine

_SECONDS = 5
_HELP = f"""\
usage: proctor healthy [options] [--live] [name ...]

Says "healthy" and ends with 0 when every program that starts by itself is up; says what is missing
and ends with 1 otherwise, also when there is no answer within {_SECONDS} seconds.  With names (web,
group:*) those must be RUNNING instead.

  --live                     be content with a daemon that answers
  -c, --configuration FILE   read [supervisorctl] from this file, instead of searching for one
  -s, --serverurl URL        the server: unix:///path/of.sock or http://host:port
  -u, --username NAME        log in with this name
  -p, --password PASSWORD    log in with this password
"""


def healthy(program: str, words: list[str]) -> int:
    """The command; its exit status: 0, 1, or 2 for wrong usage."""
    from proctor.cli import options
    from proctor.cli.main import prepare_streams

    prepare_streams()
    live = "--live" in words
    try:
        line = options.parse([word for word in words if word != "--live"])
        if "help" in line.values:
            print(_HELP, end="")
            return 0
        connection = _connection(program, line)
    except UsageError as error:
        print(f"Error: {error}\nFor help, use {program} healthy -h", file=sys.stderr)
        return 2
    signal.signal(signal.SIGALRM, _too_late)
    signal.alarm(_SECONDS)
    trouble = _ask(connection, "/livez" if live else _path(line.action))
    print(f"unhealthy: {trouble}" if trouble else "healthy")
    return 1 if trouble else 0


def _connection(program: str, line: CommandLine) -> Connection:
    """Raises UsageError for whatever is wrong with the configuration, too."""
    from proctor.config.client import load_client
    from proctor.config.problems import ConfigError
    from proctor.config.world import RealWorld

    typed = line.values
    try:
        settings = load_client(program, typed.get("configuration"), RealWorld())
    except ConfigError as error:
        raise UsageError(str(error)) from error
    return Connection(
        typed.get("serverurl", settings.serverurl),
        typed.get("username", settings.username),
        typed.get("password", settings.password),
    )


def _path(names: list[str]) -> str:
    if not names:
        return "/readyz"
    data = ",".join(names).encode("utf-8", "surrogateescape")
    return "/readyz?name=" + "".join(f"%{byte:02x}" for byte in data)


def _ask(connection: Connection, path: str) -> str:
    """What is wrong; "" for nothing."""
    try:
        status, body = connection.get(path)
    except ProtocolError as error:
        return f"{connection.serverurl} answered: {error.reason}"
    except (OSError, ValueError) as error:
        return f"{connection.serverurl} cannot be reached: {error}"
    lines = body.decode("utf-8", "replace").splitlines()
    match status:
        case 200:
            return ""
        case 503:
            return ", ".join(lines)
        case 404 if path.startswith("/readyz?"):
            return "no process or group has one of these names"
        case _:
            return f"{connection.serverurl} answered {status}"


def _too_late(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError(f"no answer within {_SECONDS} seconds")
