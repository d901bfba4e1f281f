"""proctor check: every mistake of a configuration at once, for people or for tools."""

from __future__ import annotations

import sys

from proctor.config.commandline import Overrides
from proctor.config.load import check_file
from proctor.config.world import RealWorld


def check(path: str, *, as_json: bool, strict: bool) -> int:
    """Print what is wrong with the file; 2 when it cannot be used, else 0.  Starts nothing.

    `strict`: 2 also when something in it is doubtful.
    """
    encoding, world = sys.stdout.encoding, RealWorld()
    text, good = check_file(
        path, Overrides(), world, as_json=as_json, strict=strict, encoding=encoding
    )
    print(text)
    return 0 if good else 2
