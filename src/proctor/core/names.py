"""Names of processes as people write them: `web`, `web:web_0`, `web:*`, `web:`.

Source: compat xmlrpc.md, section 5.
"""

from __future__ import annotations


def make_namespec(group: str, process: str) -> str:
    """The display form: `process` where group and process share a name, else `group:process`."""
    return process if group == process else f"{group}:{process}"


def split_namespec(namespec: str) -> tuple[str, str | None]:
    """(group, process); the process is None for a whole group (`web:*` or `web:`)."""
    group, colon, process = namespec.partition(":")
    if not colon:
        return namespec, namespec
    return group, None if process in ("", "*") else process
