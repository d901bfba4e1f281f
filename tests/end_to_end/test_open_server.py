"""A server that everybody on the network may command: it starts, as ever, and is not forgotten."""

from __future__ import annotations

import urllib.request

from support.daemon import Launch
from support.implementations import Implementation
from support.programs import program
from support.rpc import free_port

WARNING = "[inet_http_server] is open to the network without a login"


def test_an_open_server_starts_loudly_and_is_marked_in_status(
    launch: Launch, ours: Implementation, original: Implementation
) -> None:
    """In the log for audits, on stderr of `status`, in the API; old clients see no difference."""
    port = free_port()
    daemon = launch(ours, program("cat") + f"[inet_http_server]\nport=*:{port}\n")
    daemon.until_state("cat", "RUNNING")
    daemon.until_logged(
        "CRIT Server 'inet_http_server' running without any HTTP authentication checking"
    )
    daemon.until_logged(r"WARN \[inet_http_server\] needs no login")
    status = daemon.ctl("status")
    assert status.code == 0
    assert status.err == f"warning: {WARNING}\n"
    assert len(status.lines) == 1
    old = daemon.ctl("status", by=original)
    assert (old.code, len(old.lines), WARNING in old.out + old.err) == (0, 1, False)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/daemon") as answer:
        assert WARNING in answer.read().decode()


def test_a_server_for_this_machine_is_no_warning(launch: Launch, ours: Implementation) -> None:
    """The line that audits look for is there all the same."""
    daemon = launch(ours, f"[inet_http_server]\nport=127.0.0.1:{free_port()}\n")
    assert daemon.ctl("status").err == ""
    daemon.until_logged("CRIT Server 'inet_http_server' running without")
