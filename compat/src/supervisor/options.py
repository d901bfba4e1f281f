"""Names of processes, and the version that clients are told."""

from __future__ import annotations

from proctor.core.names import make_namespec, split_namespec

__all__ = ["VERSION", "make_namespec", "split_namespec"]

VERSION = "4.3.0"
