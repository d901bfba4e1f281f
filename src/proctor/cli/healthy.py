"""proctor healthy: one line and an exit status, for HEALTHCHECK and the like.

It asks /readyz, or /livez with --live, and gives up by itself: whoever runs such checks may wait
for them for ever.
"""

from __future__ import annotations

import signal

from proctor.cli import options
from proctor.cli.hints import with_hint
from proctor.cli.options import UsageError
from proctor.client.connection import Connection, ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_SECONDS = 5
_HELP = f"""\
usage: proctor healthy [options] [--live] [name ...]

Says "healthy" and ends with 0 when every program that starts by itself is up; says what is missing
and ends with 1 otherwise, also when there is no answer within {_SECONDS} seconds.  A program that
somebody stopped is not missing, nor one that has ended and is not to start again.  With names (web,
group:*) those must be RUNNING instead.

  --live                     be content with a daemon that answers
"""


def healthy(program: str, words: list[str]) -> int:
    """The command; its exit status: 0, 1, or 2 for wrong usage."""
    from proctor.cli.streams import prepare_streams

    prepare_streams()
    try:
        line, live = options.parse_command(words, "--live")
        if "help" in line.values:
            print(_HELP + options.HELP_OF_SERVER, end="")
            return 0
        asked = options.settings_for(program, line)
    except UsageError as error:
        return options.complain(f"{program} healthy", error)
    connection = Connection(asked.serverurl, asked.username, asked.password, asked.trust)
    signal.signal(signal.SIGALRM, _too_late)
    signal.alarm(_SECONDS)
    trouble = _ask(connection, "/livez" if live else _path(line.action), guessed=asked.guessed)
    print(f"unhealthy: {trouble}" if trouble else "healthy")
    return 1 if trouble else 0


def _path(names: list[str]) -> str:
    if not names:
        return "/readyz"
    data = ",".join(names).encode("utf-8", "surrogateescape")
    return "/readyz?name=" + "".join(f"%{byte:02x}" for byte in data)


def _ask(connection: Connection, path: str, *, guessed: bool) -> str:
    """What is wrong; "" for nothing."""
    try:
        status, body = connection.get(path)
    except ProtocolError as error:
        return f"{connection.serverurl} answered: {error.reason}"
    except (OSError, ValueError) as error:
        told = with_hint(error, connection.serverurl, guessed=guessed)
        return f"{connection.serverurl} cannot be reached: {told}"
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
