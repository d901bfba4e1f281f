"""The desk at which tests ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from api.desk import Desk, Sit, a_configuration, context_of
from builders import a_heart
from proctor.api.room import CurrentConfiguration
from proctor.api.service import Service
from proctor.core.spec import GroupSpec, ProcessSpec


@pytest.fixture
def sit(tmp_path: Path) -> Iterator[Sit]:
    """Make a Desk over these programs and groups, all of them active."""
    with ExitStack() as stack:

        def make(*specs: ProcessSpec | GroupSpec) -> Desk:
            heart = stack.enter_context(a_heart(*specs))
            groups = tuple(group.spec for group in heart.supervisor.groups.values())
            current = CurrentConfiguration(a_configuration(*groups))
            desk = Desk(heart, None, current, tmp_path / "supervisord.log")  # type: ignore[arg-type]
            desk.service = Service(heart.supervisor, context_of(desk))
            stack.callback(desk.service.close)
            return desk

        yield make
