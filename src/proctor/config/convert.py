"""One function per kind of value: text in, value or ValueError out; and the Kinds made of them.

The text of a ValueError is the original's, character by character (odd blanks included).
Source: compat config.md, section 5.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from proctor.config.world import World

if TYPE_CHECKING:
    from proctor.core.spec import AutoRestart

T_co = TypeVar("T_co", covariant=True)

_SIZES = {"kb": 1024, "mb": 1024**2, "gb": 1024**3}
_LEVELS = ("critical", "error", "warn", "info", "debug", "trace", "blather")
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


class Kind(NamedTuple, Generic[T_co]):
    """A kind of value: in words what is expected, how it is read, and words that may be meant."""

    expected: str
    parse: Callable[[str, World], T_co]
    words: tuple[str, ...] = ()


def _text(text: str, _: World) -> str:
    return text


def _integer(text: str, _: World) -> int:
    return int(text)


def _count(text: str, _: World) -> int:
    return max(0, int(text))


def _boolean(text: str, _: World) -> bool:
    word = text.lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(f"not a valid boolean value: {text!r}")
    return word in _TRUE


def _byte_size(text: str, _: World) -> int:
    text = text.lower()
    factor = _SIZES.get(text[-2:])
    # Negative sizes and counts have always meant what 0 means.
    return max(0, int(text) if factor is None else int(text[:-2]) * factor)


def _octal(text: str, _: World) -> int:
    try:
        return int(text, 8)
    except ValueError:
        raise ValueError(f"{text} can not be converted to an octal type") from None


def logging_level(text: str, _: World | None = None) -> str:
    """The canonical name of a log level."""
    level = text.lower()
    if level not in _LEVELS:
        raise ValueError(f"bad logging level name {text!r}")
    return level


def signal_number(text: str, world: World) -> int:
    """A signal by name, with or without SIG, or by number."""
    signals = world.signals
    try:
        number = int(text)
    except ValueError:
        name = text.strip().upper()
        name = name if name.startswith("SIG") else f"SIG{name}"
        if name not in signals:
            raise ValueError(f"value {text!r} is not a valid signal name") from None
        return signals[name]
    if number not in signals.values():
        raise ValueError(f"value {text!r} is not a valid signal number")
    return number


def _one_of(*words: str, complaint: str = "") -> Kind[str]:
    """One of these words, in any case."""
    expected = f"{', '.join(words[:-1])} or {words[-1]}"
    complaint = complaint or f"not {expected}:"

    def parse(text: str, _: World) -> str:
        word = text.strip().lower()
        if word not in words:
            raise ValueError(f"{complaint} {text!r}")
        return word

    return Kind(expected, parse, words)


def _auto_restart(text: str, world: World) -> AutoRestart:
    # Here and not above: supervisorctl reads with this file and has no use for specs.
    from proctor.core.spec import AutoRestart

    text = text.lower()
    if text == "unexpected":
        return AutoRestart.UNEXPECTED
    try:
        return AutoRestart.ALWAYS if _boolean(text, world) else AutoRestart.NEVER
    except ValueError:
        raise ValueError(f"invalid 'autorestart' value {text!r}") from None


def _exit_codes(text: str, _: World) -> tuple[int, ...]:
    try:
        codes = tuple(int(code) for code in text.split(",")) if text.strip() else ()
    except ValueError:
        codes = (-1,)
    if not all(0 <= code <= 255 for code in codes):
        raise ValueError(f"not a valid list of exit codes: {text!r}")
    return codes


def _user(text: str, world: World) -> int:
    entry = world.user(text)
    if entry is None:
        what = "id" if re.fullmatch(r"\s*[-+]?\d+\s*", text) else "name"
        raise ValueError(f"Invalid user {what} {text}")
    return entry[0]


def _owner(text: str, world: World) -> tuple[int, int]:
    name, colon, group_name = text.partition(":")
    user = world.user(name.strip())
    group = world.group(group_name.strip()) if colon else user and user[1]
    if user is None or group is None:
        raise ValueError(text)
    return user[0], group


def _directory(text: str, world: World) -> str:
    path = world.expand_user(text)
    if not world.is_directory(path):
        raise ValueError(f"{text} is not an existing directory")
    return path


def _file_path(text: str, world: World) -> str:
    path = world.expand_user(text)
    directory = posixpath.dirname(path)
    if directory and not world.is_directory(directory):
        raise ValueError(f"The directory named as part of the path {text} does not exist")
    return path


def _journal(text: str, world: World) -> str:
    word = text.upper()
    if word in ("NONE", "OFF"):
        return "NONE"
    return word if word == "AUTO" else _file_path(text, world)


def _child_log(text: str, world: World) -> str:
    word = text.upper()
    if word in ("NONE", "OFF"):
        return "NONE"
    return word if word in ("AUTO", "SYSLOG") else _file_path(text, world)


def _port(text: str) -> int:
    port = int(text)
    if port < 1:
        raise ValueError(f"{port} is below lower bound (1)")
    if port > 65535:
        raise ValueError(f"{port} is above upper bound (65535)")
    return port


def is_ipv6(text: str) -> bool:
    """Whether it is an address of IP version 6, without brackets and zone."""
    from ipaddress import AddressValueError, IPv6Address

    try:
        IPv6Address(text.partition("%")[0])
    except AddressValueError:
        return False
    return True


def _inet_address(text: str, _: World) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon:
        try:
            return "", _port(text)
        except ValueError:
            raise ValueError(f"not a valid port number: {text!r} ") from None
    if not port:
        raise ValueError("no port number specified in ''")
    host = host.strip().lower()
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        if not is_ipv6(host):
            raise ValueError(f"not an IPv6 address: {text!r}")
    elif ":" in host:
        raise ValueError(f"an IPv6 address needs brackets: {text!r}")
    return ("" if host == "*" else host), _port(port)


def process_or_group_name(text: str, _: World | None = None) -> str:
    """A name without blanks, colons and slashes, trimmed."""
    name = text.strip()
    for char in " :/":
        if char in name:
            raise ValueError(f"Invalid name: {name!r} because of character: {char!r}")
    return name


def _socket_url(text: str, _: World) -> str:
    """tcp://host:port or unix:///path.  The odd texts are what the original prints."""
    if text.startswith("unix://"):
        path = text.removeprefix("unix://")
        if not path.startswith("/"):
            raise ValueError(f"('Unix socket path %s is not an absolute path', {path!r})")
        return text
    match = re.fullmatch(r"tcp://([^\s:]+):(\d+)", text)
    if match is None:
        raise ValueError(f"('Bad socket format %s', {text!r})")
    _port(match[2])
    return text


def _words(text: str, _: World) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",")) if text.strip() else ()


TEXT = Kind("any text", _text)
INTEGER = Kind("a whole number", _integer)
COUNT = Kind("a whole number, 0 or more", _count)
BOOLEAN = Kind(
    "true or false (also yes, no, on, off, 1, 0)", _boolean, ("true", "false", "yes", "no")
)
BYTE_SIZE = Kind("a whole number of bytes, or one followed by KB, MB or GB", _byte_size)
UMASK_BITS = Kind("an octal number such as 022", _octal)
FILE_MODE = Kind("an octal number such as 0700", _octal)
LOG_LEVEL: Kind[str] = Kind(f"one of {', '.join(_LEVELS)}", logging_level, _LEVELS)
HANG_UP = _one_of("restart", "apply")
ON_ORPHAN = _one_of("adopt", "kill", "leave")
SIGNAL = Kind("a signal such as TERM, SIGTERM or 15", signal_number)
KILL_MODE = _one_of("process", "group", "tree", complaint="invalid 'kill_mode' value")
AUTO_RESTART = Kind("true, false or unexpected", _auto_restart, ("true", "false", "unexpected"))
EXIT_CODES = Kind("exit codes from 0 to 255 with commas between them", _exit_codes)
USER = Kind("an existing user, by name or number", _user)
OWNER = Kind("an existing user, or user:group", _owner)
DIRECTORY = Kind("an existing directory", _directory)
FILE_PATH = Kind("a file in an existing directory", _file_path)
CHILD_LOG = Kind("a file in an existing directory, or AUTO, NONE or SYSLOG", _child_log)
JOURNAL = Kind("a file in an existing directory, or AUTO or NONE", _journal)
INET_ADDRESS = Kind("port, host:port or [IPv6]:port, the port from 1 to 65535", _inet_address)
NAME: Kind[str] = Kind("a name without blanks, colons and slashes", process_or_group_name)
SOCKET_URL = Kind("tcp://host:port or unix:///absolute/path", _socket_url)
WORDS = Kind("names with commas between them", _words)
