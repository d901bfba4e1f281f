"""Every folder in examples/ works as it stands, but for its paths in /tmp."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.daemon import Launch
from support.implementations import REPOSITORY, Implementation
from support.waiting import until

EXAMPLES = sorted(REPOSITORY.joinpath("examples").glob("*/supervisord.conf"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_an_example_runs(launch: Launch, ours: Implementation, path: Path) -> None:
    """All its programs come up, and supervisorctl finds them."""
    daemon = launch(ours, ready=False, command=["true"], arguments=())
    daemon.wait()
    text = path.read_text(encoding="utf-8").replace("/tmp/", f"{daemon.directory}/")
    for name in ("first-steps.sock", "supervisor.sock"):
        text = text.replace(name, daemon.socket.name)
    daemon.configure(whole=text)
    daemon.arguments = ("-n",)
    daemon.start()

    def all_run() -> bool:
        states = daemon.client.states()
        return bool(states) and set(states.values()) == {"RUNNING"}

    until(all_run, "all programs run")
    assert daemon.ctl("status").code == 0
