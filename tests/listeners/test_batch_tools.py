"""crashmailbatch, fatalmailbatch and crashsms with a real SMTP server."""

from __future__ import annotations

import email
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from email.message import Message

import pytest
import trustme

from listeners.postoffice import PASSWORD, USER, PostOffice, post_office
from listeners.stage import TICK, DaemonDouble, Outcome, Theatre, answers, exited, fatal, plain
from proctor.listeners import mail, state_monitor
from proctor.listeners.loop import Event
from proctor.listeners.mail import Smtp
from support.implementations import Implementation

COMMANDS = ("crashmailbatch", "fatalmailbatch", "crashsms")
SUBJECTS: tuple[tuple[str, ...], ...] = ((), ("-s", "Oh dear"), ("-s", "天哪"))
EVERYTHING = (exited("cat"), exited("dog", expected=1), fatal("mouse"), exited("owl"), fatal("owl"))


@pytest.fixture
def office() -> Iterator[PostOffice]:
    """An SMTP server."""
    with post_office() as opened:
        yield opened


@pytest.fixture
def secure_office() -> Iterator[PostOffice]:
    """One that takes mail only after STARTTLS and a login."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with post_office(context, strict=True) as opened:
        yield opened


def _run(
    theatre: Theatre,
    side: Implementation,
    office: PostOffice,
    *words: str,
    play: tuple[tuple[str, str], ...],
    url: str = "unix:///nonexistent",
) -> Outcome:
    command, *more = words
    to = ("-t", "a@example.com, b@example.com", "-f", "c@example.com", "-H", office.host)
    outcome = theatre.run(side, command, *to, *more, play=play, url=url)
    assert outcome.out == answers(len(play)), outcome.err
    return outcome


def _body(letter: str) -> str:
    payload = email.message_from_string(letter).get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode().rstrip("\n")


@pytest.mark.oracle
@pytest.mark.parametrize(
    "more", [(command, *subject) for command in COMMANDS for subject in SUBJECTS], ids=" ".join
)
def test_the_same_letter(
    theatre: Theatre,
    original: Implementation,
    ours: Implementation,
    office: PostOffice,
    more: tuple[str, ...],
) -> None:
    """Headers in their order, body, recipients and log are the original's."""
    told = [_run(theatre, side, office, *more, play=(*EVERYTHING, TICK)).told
            for side in (original, ours)]  # fmt: skip
    assert told[1] == told[0]
    theirs, mine = (_comparable(email.message_from_string(letter)) for letter in office.letters)
    assert mine == theirs
    assert office.recipients[1] == office.recipients[0] == ["a@example.com", "b@example.com"]


def _comparable(message: Message) -> tuple[list[tuple[str, str]], str]:
    headers = [
        (name, "" if name in ("Date", "Message-ID", "X-Peer", "X-MailFrom", "X-RcptTo") else value)
        for name, value in message.items()
    ]
    return headers, plain(str(message.get_payload()))


def test_one_mail_per_interval(theatre: Theatre, ours: Implementation, office: PostOffice) -> None:
    """Lines wait for the tick that completes the interval; nothing to say, no mail."""
    play = (TICK, exited("cat"), TICK, TICK, exited("dog"), TICK, exited("owl"), TICK, TICK)
    _run(theatre, ours, office, "crashmailbatch", "-i", "1.5", play=play)
    found = [re.findall(r"pets:(\w+)", _body(letter)) for letter in office.letters]
    assert found == [["cat"], ["dog"], ["owl"]]


def test_other_ticks(theatre: Theatre, ours: Implementation, office: PostOffice) -> None:
    """-e: only that tick counts, with its own length."""
    fives = (("TICK_5", "when:5"),) * 11
    play = (exited(), TICK, *fives)
    _run(theatre, ours, office, "crashsms", "-e", "TICK_5", play=play)
    assert office.letters == []
    _run(theatre, ours, office, "crashsms", "-e", "TICK_5", play=(*play, fives[0]))
    assert len(office.letters) == 1


def test_what_could_not_be_sent_is_sent_later(
    theatre: Theatre, ours: Implementation, office: PostOffice
) -> None:
    """S11: once per interval, with whatever came in addition, until it works; then never again."""
    office.refusals = 2
    play = (exited("cat"), TICK, exited("dog"), TICK, TICK, TICK)
    outcome = _run(theatre, ours, office, "crashmailbatch", play=play)
    (letter,) = office.letters
    assert re.findall(r"pets:(\w+)", _body(letter)) == ["cat", "dog"]
    assert outcome.err.count("Error sending email: ") == 2
    assert outcome.err.count("Sending notification email:\n") == 3


def test_one_of_two_is_refused(theatre: Theatre, ours: Implementation, office: PostOffice) -> None:
    """The other gets the mail, once; the log says who did not."""
    office.unknown = "b@example.com"
    outcome = _run(theatre, ours, office, "crashmailbatch", play=(exited(), TICK, TICK))
    assert office.recipients == [["a@example.com"]]
    assert "Error sending email: b@example.com refused: 550 no such box\n" in outcome.err


def test_what_waits_is_bounded(capfd: pytest.CaptureFixture[str]) -> None:
    """While the mail server is away for days, the newest lines are kept."""
    nowhere = Smtp("127.0.0.1:1", "c@example.com", ("a@example.com",), None)
    kind = state_monitor.Kind("crashsms", "", lambda event: event.payload, None)
    monitor = state_monitor.StateMonitor(kind, nowhere, 1.0, "TICK_60", tail=0)
    facts = "processname:cat groupname:pets"
    for number in range(state_monitor.MOST_LINES + 7):
        monitor.handle(Event("PROCESS_STATE_EXITED", f"{facts} n:{number}"))
    monitor.handle(Event("TICK_60", facts))
    assert "8 of the oldest are lost\n" in capfd.readouterr().err


def test_encryption_without_a_login(theatre: Theatre, ours: Implementation) -> None:
    """S11: --tls is STARTTLS, also when no user is given."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with post_office(context) as office:
        _run(theatre, ours, office, "crashmailbatch", "--tls", play=(exited(), TICK))
        _run(theatre, ours, office, "crashmailbatch", play=(exited(), TICK))
    assert office.encrypted == [True, False]


def test_login(theatre: Theatre, ours: Implementation, secure_office: PostOffice) -> None:
    """-u and -p log in; a wrong password is an error in the log, and the listener goes on."""
    for password, letters in (("wrong", 0), (PASSWORD, 1)):
        login = ("-u", USER, "-p", password, "--tls")
        outcome = _run(
            theatre, ours, secure_office, "crashmailbatch", *login, play=(exited(), TICK)
        )
        assert len(secure_office.letters) == letters
        assert ("Error sending email: (535" in outcome.err) == (not letters)
    assert secure_office.encrypted == [True]


def test_the_mail_ends_with_the_logs(
    theatre: Theatre, ours: Implementation, office: PostOffice, daemon: DaemonDouble
) -> None:
    """After all lines, once per program; in a text message only when asked for."""
    daemon.logs["stdout", "pets:cat"] = "miau\n"
    daemon.logs["stderr", "pets:owl"] = "huhu 错误\n"
    play = (exited("cat"), exited("owl"), exited("cat"), TICK)
    for command, more, tails in (
        ("crashmailbatch", (), ["huhu 错误", "miau"]),
        ("crashmailbatch", ("--log-tail", "0"), []),
        ("crashsms", (), []),
        ("crashsms", ("--log-tail", "5"), ["huhu 错误"[-3:], "miau"]),
    ):
        office.letters.clear()
        _run(theatre, ours, office, command, *more, play=play, url=daemon.url)
        (letter,) = office.letters
        lines = _body(letter).splitlines()
        assert "pets:cat" in lines[0]
        assert "pets:owl" in lines[1]
        assert "pets:cat" in lines[2]
        if more != ("--log-tail", "5"):
            assert [line[2:] for line in lines[3:] if line.startswith("> ")] == tails


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has its time, then it has failed."""
    monkeypatch.setattr(mail, "_SMTP_PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = f"127.0.0.1:{server.getsockname()[1]}"
        silent = Smtp(host, "c@example.com", ("a@example.com",), None)
        with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
            silent.send("hello")


def test_a_command_without_end(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A sendmail that hangs is ended, and the log says so."""
    monkeypatch.setattr(mail, "_PATIENCE", 0.2)
    mail.send_by_command("exec sleep 1000", mail.letter("a@example.com", "s", "b"))
    assert "timed out" in capfd.readouterr().err


def test_bytes_that_are_no_text(theatre: Theatre, ours: Implementation, office: PostOffice) -> None:
    """A name in another encoding does not keep the mail back."""
    broken = exited("caf\udce9")
    outcome = _run(theatre, ours, office, "crashmailbatch", play=(broken, TICK))
    (letter,) = office.letters
    assert "Process pets:caf? (pid" in _body(letter)
    assert "Error" not in outcome.err
