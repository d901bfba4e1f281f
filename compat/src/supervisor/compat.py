"""Aliases of the standard library that old plug-ins import from here."""

from __future__ import annotations

import http.client as httplib
import xmlrpc.client as xmlrpclib
from io import StringIO
from urllib import parse as urlparse
from xmlrpc.client import Fault

from supervisor.absent import absent

__all__ = ["Fault", "StringIO", "as_bytes", "as_string", "httplib", "urlparse", "xmlrpclib"]
__getattr__ = absent(__name__)


def as_bytes(s: str | bytes, encoding: str = "utf8") -> bytes:
    """Text as bytes; bytes as they are."""
    return s if isinstance(s, bytes) else s.encode(encoding)


def as_string(s: str | bytes, encoding: str = "utf8") -> str:
    """Bytes as text; text as it is."""
    return s if isinstance(s, str) else s.decode(encoding)
