"""httpok where it is better than the original; what is the same is in test_beside_superlance."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from listeners.stage import TICK, DaemonDouble, Outcome, Theatre, answers
from listeners.website import Website, open_later, website
from support.implementations import Implementation
from support.rpc import free_port


@pytest.fixture
def site() -> Iterator[Website]:
    """A web server."""
    with website() as opened:
        yield opened


class Stage:
    """httpok with a mail address and a daemon, for one tick."""

    def __init__(self, theatre: Theatre, ours: Implementation, daemon: DaemonDouble) -> None:
        self.theatre, self.ours, self.daemon = theatre, ours, daemon

    def run(self, *arguments: str, environment: dict[str, str] | None = None) -> Outcome:
        """What came of it."""
        words = ("-m", "dev@example.com", "-s", self.theatre.sendmail, *arguments)
        url = self.daemon.url
        outcome = self.theatre.run(
            self.ours, "httpok", *words, play=(TICK,), url=url, environment=environment
        )
        assert outcome.out == answers(1), outcome.err
        return outcome

    @property
    def restarted(self) -> list[str]:
        """The names that were stopped and started, in order."""
        changes = self.daemon.changes()
        assert [call[0] for call in changes[::2]] == ["stopProcess"] * (len(changes) // 2)
        assert [call[1] for call in changes[::2]] == [call[1] for call in changes[1::2]]
        return [str(call[1]) for call in changes[::2]]


@pytest.fixture
def stage(theatre: Theatre, ours: Implementation, daemon: DaemonDouble) -> Stage:
    """Runs httpok."""
    return Stage(theatre, ours, daemon)


@pytest.mark.parametrize(
    ("text", "path", "found"),
    [("hello", "/", True), ("wörld", "/", True), ("wörld", "/latin", True), ("bye", "/", False)],
)
def test_text_in_the_body(stage: Stage, site: Website, text: str, path: str, found: bool) -> None:
    """S3: -b works, in the encoding of the page."""
    outcome = stage.run("-b", text, "-p", "grp:w1", site.url + path)
    assert stage.restarted == ([] if found else ["grp:w1"])
    if not found:
        (mail,) = outcome.mails
        assert f"\nSubject: httpok: {site.url}/: bad body returned\n" in mail
        assert f"\n\nstatus contacting {site.url}/: 200 OK\nRestarting" in mail


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (("-a",), True),
        (("-p", "grp:w1"), True),
        (("-p", "w1"), True),
        (("-p", "off", "-p", "web"), True),
        (("-p", "off"), False),
        (("-p", "grp:off"), False),
        ((), False),
    ],
)
def test_not_eager(stage: Stage, site: Website, arguments: tuple[str, ...], asked: bool) -> None:
    """S4: -E asks when any process it would restart is running, however that one is named."""
    stage.run("-E", *arguments, f"{site.url}/")
    assert bool(site.seen) == asked


def test_a_refused_connection_is_named(stage: Stage) -> None:
    """S5: the report says what happened."""
    url = f"http://127.0.0.1:{free_port()}/"
    outcome = stage.run("-t", "1", "-p", "grp:w1", url)
    (mail,) = outcome.mails
    assert f"error contacting {url}:\n\n [Errno 111] Connection refused\nRestarting" in mail
    assert stage.restarted == ["grp:w1"]


def test_a_server_that_is_just_starting_is_not_restarted(stage: Stage) -> None:
    """S5: refused connections are tried again within the timeout."""
    port, done = free_port(), threading.Event()
    opening = open_later(port, 0.5, done)
    try:
        outcome = stage.run("-t", "300", "-p", "grp:w1", f"http://127.0.0.1:{port}/")
    finally:
        done.set()
        opening.join()
    assert outcome.mails == []
    assert stage.restarted == []


def test_it_does_not_restart_itself(stage: Stage, site: Website) -> None:
    """S6: -a means all the others, or nobody would start them again."""
    ourselves = {"SUPERVISOR_GROUP_NAME": "web", "SUPERVISOR_PROCESS_NAME": "web"}
    stage.run("-a", f"{site.url}/500", environment=ourselves)
    assert stage.restarted == ["grp:w1", "other:web"]


def test_https(stage: Stage, scratch: Path) -> None:
    """S7: works; certificates count only when asked."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    trusted = scratch / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    with website(context=context) as site:
        assert stage.run(f"{site.url}/").mails == []
        (mail,) = stage.run("--verify-tls", f"{site.url}/").mails
        assert "CERTIFICATE_VERIFY_FAILED" in mail
        environment = {"SSL_CERT_FILE": str(trusted)}
        assert stage.run("--verify-tls", f"{site.url}/", environment=environment).mails == []
        (mail,) = stage.run(f"{site.url}/500").mails
        assert f"status contacting {site.url}/500: 500" in mail


@pytest.mark.parametrize(("path", "timeout"), [("/late", "1"), ("/drip", "1"), ("/short", "60")])
def test_a_server_that_stalls(stage: Stage, site: Website, path: str, timeout: str) -> None:
    """No answer, an answer without end, and half an answer are all failures, in bounded time."""
    outcome = stage.run("-t", timeout, "-p", "grp:w1", site.url + path)
    (mail,) = outcome.mails
    what = "IncompleteRead(12 bytes read, 999988" if path == "/short" else "timed out"
    assert f"error contacting {site.url}{path}:\n\n {what}" in mail
    assert stage.restarted == ["grp:w1"]


def test_a_server_that_does_not_speak_http(stage: Stage) -> None:
    """Rubbish is a failure with a text."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def babble() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"220 mail.example.com ESMTP\r\n\r\n")

        speaking = threading.Thread(target=babble)
        speaking.start()
        outcome = stage.run(f"http://127.0.0.1:{server.getsockname()[1]}/")
        speaking.join()
    (mail,) = outcome.mails
    assert "\n\n 220 mail.example.com ESMTP" in mail


def test_a_url_that_cannot_be(stage: Stage) -> None:
    """A failure with a text at every tick, as a host that cannot be."""
    (mail,) = stage.run("http://[bad/").mails
    assert "error contacting http://[bad/:\n\n Invalid IPv6 URL" in mail


def test_query_without_a_path(stage: Stage, site: Website) -> None:
    """http://host?x=1 asks for /?x=1, with our name."""
    stage.run(f"{site.url}?x=1#top")
    assert site.seen == [("/?x=1", "httpok")]


def test_without_a_daemon_nothing_happens(
    theatre: Theatre, ours: Implementation, site: Website
) -> None:
    """The log says that nothing was done; the listener goes on."""
    for arguments in (("-a",), ("-a", "-E")):
        outcome = theatre.run(
            ours,
            "httpok",
            *arguments,
            *("-m", "x@y", "-s", theatre.sendmail, f"{site.url}/500"),
            play=(TICK,),
            url="unix:///nonexistent",
        )
        assert outcome.out == answers(1)
        assert "Exception retrieving process info [Errno 2] No such file" in outcome.err
        assert outcome.mails == []


def test_the_mail_ends_with_the_logs(stage: Stage, site: Website) -> None:
    """Of what was restarted, as they were before; not of what was left alone."""
    for name in ("grp:w1", "web:web", "off:off"):
        stage.daemon.logs["stderr", name] = f"stuck in {name}\n"
    outcome = stage.run("-p", "w1", "-p", "off", f"{site.url}/500")
    (mail,) = outcome.mails
    assert mail.endswith(
        "off not in RUNNING state, NOT restarting\n\n"
        "Last lines of stderr of grp:w1:\n\n> stuck in grp:w1"
    )
    verbs = [call[0] for call in stage.daemon.calls]
    assert verbs.index("tailProcessStderrLog") < verbs.index("stopProcess")


def test_core_before_restart(stage: Stage, site: Website) -> None:
    """-d: the core program is given the name and the pid; what it prints is in the mail."""
    outcome = stage.run("-g", "printf '%s|'", "-d", "/a b", "-p", "w1", f"{site.url}/500")
    (mail,) = outcome.mails
    assert "\ngcore output for grp:w1:\n\n /a b/grp:w1|12|\ngrp:w1 is in RUNNING" in mail
