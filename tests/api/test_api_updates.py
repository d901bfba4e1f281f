"""Updates of a group that is on the move."""

from __future__ import annotations

import dataclasses

from api.desk import Sit, a_configuration
from builders import a_group, a_process
from fakes import Behaviour
from proctor.core.states import ProcessState

SIGTERM = 15


def test_an_update_waits_until_what_it_replaces_is_at_rest(sit: Sit) -> None:
    """It is being stopped by somebody else already: nobody is told STILL_RUNNING."""
    web = a_process("web", autostart=True)
    desk = sit(a_group("g", web, a_process("other")))
    desk.heart.host.behaviours["g:web"] = Behaviour(ignores=frozenset({SIGTERM}))
    desk.heart.start("g:web")
    desk.heart.stop("g:web")
    new = a_group("g", dataclasses.replace(web, priority=5), a_process("other"))
    desk.configuration.value = a_configuration(new)
    desk.ask(desk.service.update_process_group("g"))
    process = desk.heart.process("g:web")
    assert process.priority == 5
    assert process.state is ProcessState.STARTING
