"""Converters of configuration values that plug-ins use for values of their own.

All raise ValueError.  Source: compat config.md, section 5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

TRUTHY_STRINGS = ("yes", "true", "on", "1")
FALSY_STRINGS = ("no", "false", "off", "0")


def integer(value: str | int) -> int:
    """A whole number."""
    return int(value)


def boolean(value: object) -> bool:
    """`true yes on 1` or `false no off 0`, in any case."""
    word = str(value).lower()
    if word in TRUTHY_STRINGS:
        return True
    if word in FALSY_STRINGS:
        return False
    raise ValueError(f"not a valid boolean value: {value!r}")


def list_of_strings(value: str) -> list[str]:
    """Words separated by commas."""
    return [word.strip() for word in value.split(",")] if value else []


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
