"""Files and directories in which somebody else may write: whoever may, decides what we do.

All of these are warnings, as the original starts with them.  Source: scenarios.md, section 1,
rules 11 and 13.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from proctor.config.problems import Findings
from proctor.config.world import World
from proctor.core.settings import DaemonSettings, ServerSettings
from proctor.core.spec import GroupSpec


def check_files(files: Iterable[str], world: World, findings: Findings) -> None:
    """For root: each file of the configuration, and its directory, must be root's alone."""
    if world.uid != 0:
        return
    for path in dict.fromkeys(each for file in files for each in (file, posixpath.dirname(file))):
        reason = world.who_else_writes(path, strictly=True)
        if reason:
            findings.warn(f"{path} says what root runs, and {reason}")


def check_directories(
    daemon: DaemonSettings,
    servers: Iterable[ServerSettings],
    groups: Iterable[GroupSpec],
    world: World,
    findings: Findings,
) -> None:
    """Where logs, sockets and the pidfile lie, nobody should be able to put something else."""
    outputs = (
        output.path
        for group in groups
        for process in group.processes
        for output in (process.stdout, process.stderr)
    )
    paths = [daemon.logfile, daemon.pidfile, *(server.file for server in servers), *outputs]
    directories = dict.fromkeys(posixpath.dirname(path) for path in paths if path)
    for directory in directories:
        reason = world.who_else_writes(directory or ".", strictly=False)
        if reason and not directory.startswith("/dev"):
            findings.warn(f"{directory} holds files that we write, and {reason}")
