"""The factory that practically every configuration file names.

The daemon knows it by its name and answers itself; nothing is ever made here.
"""

from __future__ import annotations

API_VERSION = "3.0"


def make_main_rpcinterface(supervisord: object) -> object:
    """Only a name for configuration files.  Raises RuntimeError."""
    raise RuntimeError("the daemon serves its own interface; this factory is known by name only")
