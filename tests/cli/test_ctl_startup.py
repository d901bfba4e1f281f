"""What a one-shot command does not load."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from rpchost import rpc_host

SLOW = {"asyncio", "ssl", "http.client", "xmlrpc.client", "subprocess", "email", "urllib.request"}
HEAVY = SLOW | {"dataclasses", "inspect"}


def _loaded_by(code: str, *arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stderr.splitlines()
    return {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}


def test_a_one_shot_status_is_light(scratch: Path) -> None:
    """Neither asyncio nor ssl, nor what brings them along; nor dataclasses, a third of the time."""
    with rpc_host(scratch, getAllProcessInfo=[]) as host:
        (scratch / "c.conf").write_text(f"[supervisorctl]\nserverurl={host.url}\n")
        code = "import sys; from proctor.cli.main import supervisorctl; sys.exit(supervisorctl())"
        loaded = _loaded_by(code, "-c", str(scratch / "c.conf"), "status")
    assert "proctor.cli.main" in loaded
    assert host.methods() == ["getVersion", "getAllProcessInfo"]
    assert not loaded & HEAVY


def test_talking_to_a_server_needs_even_less() -> None:
    """Only reading the configuration does."""
    loaded = _loaded_by("import proctor.cli.controller, proctor.cli.verbs.all")
    assert not loaded & {*HEAVY, "typing", "re", "socket", "json"}
