"""System calls that Python lacks."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator

import pytest

from proctor.posix import linux


@pytest.fixture
def without_ctypes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Python without it, or one that was removed while the daemon runs."""
    monkeypatch.setitem(sys.modules, "ctypes", None)
    linux._load_tee.cache_clear()
    yield
    linux._load_tee.cache_clear()


@pytest.mark.usefixtures("without_ctypes")
def test_who_cannot_tee_says_so() -> None:
    """By the error that makes output take the other way."""
    with pytest.raises(OSError, match=os.strerror(errno.ENOSYS)) as refusal:
        linux.tee(0, 1, 100)
    assert refusal.value.errno == errno.ENOSYS
