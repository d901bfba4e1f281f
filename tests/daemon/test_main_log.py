"""The main log of a real daemon."""

from __future__ import annotations

import signal
from pathlib import Path

from support.daemon import Launch
from support.implementations import Implementation


def test_a_main_log_that_cannot_be_reopened(
    launch: Launch, ours: Implementation, scratch: Path
) -> None:
    """The old file stays in use, and says why."""
    logs = scratch / "logs"
    logs.mkdir()
    daemon = launch(ours, settings=f"logfile={logs}/main")
    daemon.log = logs.rename(scratch / "moved") / "main"
    daemon.signal(signal.SIGUSR2)
    daemon.until_logged("ERRO cannot reopen .*logs/main: .*No such file")
