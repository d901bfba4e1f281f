"""What is loaded when: a daemon loads as little as it can, unless it will not be able to later."""

from __future__ import annotations

import codecs
import sys
from contextlib import suppress


def load_everything(with_journal: bool) -> None:
    """What is loaded late otherwise: soon we may be somebody who cannot read this Python."""
    import_asyncio_without_ssl()
    import ctypes  # noqa: F401
    import grp  # noqa: F401
    import tempfile  # noqa: F401
    import urllib.parse  # noqa: F401

    import proctor.runtime.run  # noqa: F401

    if with_journal:
        with suppress(ImportError):
            import sqlite3  # noqa: F401
    for encoding in ("ascii", "latin-1", "idna"):
        codecs.lookup(encoding)


def import_asyncio_without_ssl() -> None:
    """asyncio imports ssl for everybody: 4.4 MB that only TLS needs (decisions.md, section 5)."""
    if "ssl" in sys.modules:
        return
    sys.modules["ssl"] = None  # type: ignore[assignment]
    try:
        import asyncio  # noqa: F401
    finally:
        del sys.modules["ssl"]
