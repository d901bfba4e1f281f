"""Converters of configuration values that plug-ins use for values of their own.

All raise ValueError.  Source: compat config.md, section 5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from proctor.config import convert
from proctor.config.world import RealWorld
from proctor.daemon.activity_log import Level
from supervisor.absent import absent

__getattr__ = absent(__name__)

integer = int
_world = RealWorld()


class Automatic:
    """Stands for a log file that the daemon names."""


class Syslog:
    """Stands for the system's log."""


class RestartUnconditionally:
    """What `autorestart` is in a process's configuration for `true`."""


class RestartWhenExitUnexpected:
    """The same for `unexpected`; for `false` it is False."""


def boolean(value: object) -> bool:
    """`true yes on 1` or `false no off 0`, in any case."""
    return convert.BOOLEAN.parse(str(value), _world)


def list_of_strings(value: str) -> list[str]:
    """Words separated by commas."""
    return [word.strip() for word in value.split(",")] if value else []


def logging_level(value: str) -> int:
    """The code of a level."""
    return int(Level.named(convert.logging_level(value)))


def signal_number(value: str | int) -> int:
    """A signal by name or number."""
    return convert.signal_number(str(value), _world)


def name_to_uid(name: str) -> int:
    """A user by name or number."""
    return convert.USER.parse(name, _world)


def logfile_name(value: str) -> str | type[Automatic | Syslog] | None:
    """A path; None for NONE and OFF, Automatic for AUTO, Syslog for SYSLOG."""
    path = convert.CHILD_LOG.parse(str(value), _world)
    special = {"NONE": None, "AUTO": Automatic, "SYSLOG": Syslog}
    return special.get(path, path)


class SuffixMultiplier:
    """Turns `2kb` into 2048, with the suffixes and factors it is made with; any case."""

    def __init__(self, d: Mapping[str, int], default: int = 1) -> None:
        self._factors = dict(d)
        self._default = default
        # Longest first, or `mb` would be taken for `b`.
        self._suffixes = sorted(self._factors, key=len, reverse=True)

    def __call__(self, v: str) -> int:
        text = v.lower()
        for suffix in self._suffixes:
            if text.endswith(suffix):
                return int(text.removesuffix(suffix)) * self._factors[suffix]
        return int(text) * self._default


byte_size: Callable[[str], int] = SuffixMultiplier(
    {"kb": 1024, "mb": 1024 * 1024, "gb": 1024 * 1024 * 1024}
)
