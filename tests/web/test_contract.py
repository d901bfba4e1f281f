"""The JSON API keeps what its description promises, whatever it is asked.

schemathesis makes the requests from openapi.json: always the same ones, and few enough for a
machine that is busy with other things.
"""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from proctor.web.openapi import document
from proctor.web.rest.all import ROUTES
from support.daemon import Daemon, Launch
from support.implementations import proctor
from support.programs import OBEDIENT, program
from support.rpc import free_port
from support.waiting import GENEROUS

# These end the daemon, or do not end themselves; they have tests of their own.
NOT_HERE = "/daemon/(shutdown|restart|upgrade)$|/follow$|readyz"
CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]
URLS: dict[Daemon, str] = {}
schema = schemathesis.openapi.from_dict(document(ROUTES))


@pytest.fixture(scope="module")
def daemon(launch_shared: Launch) -> Daemon:
    """With programs that the requests may do with as they like."""
    port = free_port()
    server = f"[inet_http_server]\nport=127.0.0.1:{port}\n\n"
    started = launch_shared(proctor(), server + program("cat", OBEDIENT) + program("dog"))
    started.until_state("cat", "RUNNING")
    URLS[started] = f"http://127.0.0.1:{port}"
    return started


@schema.exclude(path_regex=NOT_HERE).exclude(method="GET", path="/api/v1/events").parametrize()
@settings(
    max_examples=6,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_the_description_is_kept(case: schemathesis.Case[Any], daemon: Daemon) -> None:
    """No answer that it does not foresee; nothing is accepted that it does not allow."""
    if case.path_parameters and case.path_parameters.get("name") == "0":
        # The simplest name that can be made up stands for one that exists.
        case.path_parameters["name"] = "cat"
    case.call_and_validate(base_url=URLS[daemon], checks=CHECKS, timeout=GENEROUS)


def test_the_daemon_has_borne_it(daemon: Daemon) -> None:
    """Runs in any order: it answers, and nothing went wrong inside."""
    assert daemon.call("supervisor.getState")["statename"] == "RUNNING"
    assert "Web interface error" not in daemon.log_text()
