"""tail and maintail: the end of a log, once or for as long as one looks.

Source: compat supervisorctl.md, sections 4 and 6; gotchas G5 and G63.
"""

from __future__ import annotations

import codecs
import sys

from proctor.cli.verb import Verb
from proctor.client.connection import ProtocolError
from proctor.core.faults import Fault, FaultCode
from proctor.core.names import make_namespec, split_namespec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proctor.cli.controller import Controller
    from proctor.cli.log_stream import LogStream

_BYTES = 1600
BANNER = "==> Press Ctrl-C to exit <=="


class _Refused(Exception):
    """A request that cannot be understood; `help` is shown below it."""

    def __init__(self, text: str, help: str = "") -> None:
        super().__init__(text)
        self.help = help


def tail(ctl: Controller, argument: str) -> None:
    """The last bytes of a process's log, or `-f` all that is to come."""
    if not ctl.upcheck():
        return
    try:
        modifier, name, channel = _tail_request(argument.split())
    except _Refused as refused:
        _refuse(ctl, refused)
        return
    _warn_about_encoding(ctl)
    if modifier is None:
        follow(ctl, f"/logtail/{quoted(name)}/{channel}")
        return
    method = "readProcessStdoutLog" if channel == "stdout" else "readProcessStderrLog"
    group, process = split_namespec(name)
    shown = name if process is None else make_namespec(group, process)
    _show_end(ctl, shown, "no such process name", method, name, -modifier)


def _tail_request(words: list[str]) -> tuple[int | None, str, str]:
    """(number of bytes or None for -f, name, channel)."""
    if not words:
        raise _Refused("Error: too few arguments", TAIL_HELP)
    if len(words) > 3:
        raise _Refused("Error: too many arguments", TAIL_HELP)
    modifier: int | None = _BYTES
    if words[0].startswith("-"):
        modifier = _modifier(words.pop(0))
    if not words:
        raise _Refused("Error: tail requires process name")
    channel = words[-1].lower() if len(words) > 1 else "stdout"
    if channel not in ("stdout", "stderr"):
        raise _Refused(f"Error: bad channel {words[-1]!r}")
    return modifier, words[0], channel


def _modifier(word: str) -> int | None:
    if word == "-f":
        return None
    try:
        return int(word[1:])
    except ValueError:
        raise _Refused(f"Error: bad argument {word}") from None


def maintail(ctl: Controller, argument: str) -> None:
    """The same of the daemon's own log."""
    if not ctl.upcheck():
        return
    words = argument.split()
    try:
        if len(words) > 1:
            raise _Refused("Error: too many arguments", MAINTAIL_HELP)
        if words and not words[0].startswith("-"):
            raise _Refused(f"Error: bad argument {words[0]}")
        modifier = _modifier(words[0]) if words else _BYTES
    except _Refused as refused:
        _refuse(ctl, refused)
        return
    if modifier is None:
        follow(ctl, "/mainlogtail")
    else:
        _show_end(ctl, "supervisord", "no log file", "readLog", -modifier)


def _refuse(ctl: Controller, refused: _Refused) -> None:
    ctl.fail(str(refused))
    if refused.help:
        ctl.output(refused.help)


def _show_end(
    ctl: Controller, shown: str, unknown: str, method: str, *arguments: str | int
) -> None:
    try:
        # Length 0 means: to the end.
        text = ctl.server.text(method, *arguments, 0)
    except Fault as fault:
        reasons: dict[int, str] = {
            FaultCode.NO_FILE: "no log file",
            FaultCode.FAILED: "unknown error reading log",
            FaultCode.BAD_NAME: unknown,
        }
        if fault.code not in reasons:
            raise
        ctl.fail(f"{shown}: ERROR ({reasons[fault.code]})")
        return
    ctl.output(text)


def quoted(name: str) -> str:
    """A process name as part of a path: everything but letters, digits and a few signs as %XX."""
    plain = b"_.-~:/"
    data = name.encode("utf-8", "surrogateescape")
    return "".join(
        chr(byte) if bytes((byte,)).isalnum() or byte in plain else f"%{byte:02X}" for byte in data
    )


def _warn_about_encoding(ctl: Controller) -> None:
    encoding = sys.stdout.encoding or "ascii"
    if not codecs.lookup(encoding).name.startswith("utf"):
        ctl.output(
            f"Warning: sys.stdout.encoding is set to {encoding}, so Unicode output may fail. "
            "Check your LANG and PYTHONIOENCODING environment settings."
        )


def follow(ctl: Controller, path: str) -> None:
    """Show a stream until Ctrl-C or until the server ends it.  The exit code stays as it is."""
    ctl.output(BANNER)
    try:
        stream = open_stream(ctl, path)
        if stream is not None:
            show(stream)
    except KeyboardInterrupt:
        ctl.output("")


def open_stream(ctl: Controller, path: str) -> LogStream | None:
    """Start following; None when the server refuses, after a line on stderr that says why.

    Raises BrokenPipeError when nobody would read it.
    """
    if ctl.unheard:
        raise BrokenPipeError
    from proctor.cli.log_stream import LogStream

    shown = f"{ctl.options.serverurl}{unquoted(path)}"
    try:
        return LogStream(ctl.server, path, _placed(path))
    except ProtocolError as error:
        sys.stderr.write(f"{shown} Cannot read, status code {error.status}\n")
    except OSError as error:
        sys.stderr.write(f"{shown} Cannot connect, error: {type(error)} ({error})\n")
    return None


def _placed(path: str) -> str:
    """Where our daemon has the same log with the places in it."""
    words = path.split("/")
    if len(words) < 4:
        return "/api/v1/daemon/log/follow"
    return f"/api/v1/processes/{words[2]}/logs/{words[3]}/follow"


def unquoted(path: str) -> str:
    """The path as people read it."""
    head, *rest = path.encode("ascii").split(b"%")
    data = head + b"".join(bytes((int(part[:2], 16),)) + part[2:] for part in rest)
    return data.decode("utf-8", "replace")


def show(stream: Iterable[bytes]) -> None:
    """Write what comes to stdout until it ends."""
    for text in decoded(stream):
        sys.stdout.write(text)
        sys.stdout.flush()


def decoded(pieces: Iterable[bytes]) -> Iterator[str]:
    """UTF-8 that was cut anywhere as text.

    The server begins with the last 1024 bytes: what is left of a character there is dropped.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    at_start = True
    for piece in pieces:
        if at_start:
            piece = piece.lstrip(bytes(range(0x80, 0xC0)))  # noqa: PLW2901
            at_start = not piece
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


TAIL_HELP = """\
tail <name> [stdout|stderr]             the last 1600 bytes of a process's log
tail -<bytes> <name> [stdout|stderr]    the last so many bytes
tail -f <name> [stdout|stderr]          the end of the log and all that follows, until Ctrl-C"""
MAINTAIL_HELP = """\
maintail                the last 1600 bytes of supervisord's own log
maintail -<bytes>       the last so many bytes
maintail -f             the end of the log and all that follows, until Ctrl-C"""

VERBS = (
    Verb("tail", tail, TAIL_HELP, completes="processes"),
    Verb("maintail", maintail, MAINTAIL_HELP),
)
