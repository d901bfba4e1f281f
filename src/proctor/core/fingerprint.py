"""A short text that tells whether two specs are the same, across daemons and versions.

Only what is not at its default counts, so a version that knows one more option finds the programs
of the version before it unchanged.
"""

from __future__ import annotations

import binascii
from dataclasses import MISSING, Field, fields, is_dataclass

from proctor.core.spec import ProcessSpec


def fingerprint(spec: ProcessSpec) -> str:
    """Eight hexadecimal digits; the same for specs that are equal."""
    return f"{binascii.crc32(_text(spec).encode('utf-8', 'surrogatepass')):08x}"


def _text(value: object) -> str:
    if not is_dataclass(value) or isinstance(value, type):
        return repr(value)
    pairs = ((field, getattr(value, field.name)) for field in fields(value) if field.compare)
    told = (f"{field.name}={_text(each)}" for field, each in pairs if each != _default(field))
    return f"({','.join(told)})"


def _default(field: Field[object]) -> object:
    return field.default_factory() if field.default_factory is not MISSING else field.default
