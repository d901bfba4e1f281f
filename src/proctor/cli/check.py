"""proctor check: every mistake of a configuration at once, for people or for tools."""

from __future__ import annotations

from proctor.config.commandline import Overrides
from proctor.config.load import check_file
from proctor.config.problems import report, report_as_json
from proctor.config.world import RealWorld


def check(path: str, *, as_json: bool) -> int:
    """Print what is wrong with the file; 2 when it cannot be used, else 0.  Starts nothing."""
    problems, notes = check_file(path, Overrides(), RealWorld())
    if as_json:
        print(report_as_json(problems, notes))
    else:
        print(report(problems, notes), end="")
        if not problems:
            print(f"{path}: no mistakes")
    return 2 if problems else 0
