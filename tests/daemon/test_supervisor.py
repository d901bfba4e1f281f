"""The heart on a fake machine: behaviour over hours, in milliseconds."""

from __future__ import annotations

from builders import a_heart, a_process


def test_a_program_that_exits_at_once_is_retried_then_given_up() -> None:
    """The first start and startretries more, each a second later than the last, then FATAL."""
    with a_heart(a_process("web", startretries=3)) as heart:
        heart.host.always_dies("web:web", code=1)
        heart.start("web")
        heart.host.until(60)
        assert heart.states("web") == "STARTING BACKOFF " * 4 + "FATAL"
