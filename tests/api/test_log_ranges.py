"""Logs byte for byte, as the api tells them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from api.desk import Sit
from builders import NO_LOG, a_process
from proctor.core.spec import LogKind, OutputPolicy


def test_silence_is_told_now_and_then(
    sit: Sit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a stream whose client is gone does not look at the log for ever."""
    monkeypatch.setattr("proctor.api.following.HEARTBEAT", 0.2)
    log = tmp_path / "log"
    log.write_bytes(b"first")
    policy = OutputPolicy(kind=LogKind.FILE, path=str(log))
    service = sit(a_process("web", stdout=policy, stderr=NO_LOG)).service

    async def follow() -> None:
        pieces = await service.follow_log_pieces("web", "stdout", None)
        assert (await anext(pieces)).data == b"first"
        silent = await anext(pieces)
        assert (silent.data, silent.gap) == (b"", False)
        log.write_bytes(b"first, then")
        assert (await anext(pieces)).data == b", then"
        await pieces.aclose()  # type: ignore[attr-defined]

    asyncio.run(follow())
