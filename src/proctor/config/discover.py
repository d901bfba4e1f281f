"""Where to look for the configuration when nobody says.  Source: compat config.md, section 1."""

from __future__ import annotations

import posixpath

from proctor.config.problems import ConfigError, Problem
from proctor.config.world import World


def candidates(program: str) -> list[str]:
    """The places, best first.  `program` is argv[0]; relative ones are of the current directory."""
    parent = posixpath.dirname(posixpath.dirname(program))
    return [
        posixpath.join(parent, "etc/supervisord.conf"),
        posixpath.join(parent, "supervisord.conf"),
        "supervisord.conf",
        "etc/supervisord.conf",
        "/etc/supervisord.conf",
        "/etc/supervisor/supervisord.conf",
    ]


def search(program: str, world: World) -> str | None:
    """The first that exists; None when none does."""
    return next((path for path in candidates(program) if world.exists(path)), None)


def find(program: str, world: World) -> str:
    """The first that exists.  Raises ConfigError when none does."""
    path = search(program, world)
    if path is None:
        listed = ", ".join(candidates(program))
        text = (
            f"No config file found at default paths ({listed}); use the -c option to specify a "
            "config file at a different path"
        )
        raise ConfigError([Problem(text)])
    return path
