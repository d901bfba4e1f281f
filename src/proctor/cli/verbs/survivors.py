"""Who could not be ended by a stop (kill_mode=tree) is named on stderr.

stdout keeps the original's line, `NAME: stopped`, which scripts compare.  The daemon is asked once
for it, in the words of `status`: the answer of a stop itself has no place for it.
"""

from __future__ import annotations

import sys

from proctor.cli.verbs.status import namespec
from proctor.core.faults import Fault
from proctor.core.names import split_namespec
from proctor.core.wording import LEFT_RUNNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from proctor.cli.controller import Controller
    from proctor.client.server import Row


def tell_survivors(ctl: Controller, names: list[str]) -> None:
    """Of those of these names (`all` and `group:*`, too) that rest now."""
    try:
        rows = _rows(ctl, names)
        lines = [_line(row) for row in rows if row.text("statename") == "STOPPED"]
    except (Fault, ValueError):  # who was stopped may be gone, or another daemon be the one asked
        return
    sys.stderr.writelines(line for line in lines if line)


def _rows(ctl: Controller, names: list[str]) -> list[Row]:
    wanted = [split_namespec(name) for name in names]
    if "all" not in names and len(names) == 1 and wanted[0][1] is not None:
        return [ctl.server.row("getProcessInfo", names[0])]
    return [
        row
        for row in ctl.server.rows("getAllProcessInfo")
        if "all" in names
        or (row.text("group"), row.text("name")) in wanted
        or (row.text("group"), None) in wanted
    ]


def _line(row: Row) -> str:
    _, found, survivors = row.text("description").partition(LEFT_RUNNING)
    return f"{namespec(row)}: {LEFT_RUNNING}{survivors}\n" if found else ""
