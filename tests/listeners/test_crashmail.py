"""crashmail where it is better than the original; what is the same is in test_beside_superlance."""

from __future__ import annotations

import shutil

import pytest

from listeners.stage import DaemonDouble, Theatre, answers, events, exited
from support.daemon import Launch
from support.implementations import Implementation
from support.programs import OBEDIENT, program
from support.waiting import until

TO = ("-m", "dev@example.com")


def _subjects(mails: list[str]) -> list[str]:
    return [line for mail in mails for line in mail.splitlines() if line.startswith("Subject:")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), ["cat", "dog", "cat"]),
        (("-p", "cat"), ["cat", "cat"]),
        (("-p", "zoo:cat"), ["cat"]),
        (("-p", "zoo:cat", "--program=dog"), ["dog", "cat"]),
        (("-p", "zoo:dog"), []),
        (("-p", "bird", "-a"), ["cat", "dog", "cat"]),
    ],
)
def test_only_the_programs_asked_for(
    theatre: Theatre, ours: Implementation, arguments: tuple[str, ...], told: list[str]
) -> None:
    """S1: -p counts, by name or by group and name, and -a is stronger."""
    play = (exited("cat"), exited("dog"), exited("cat", "zoo"))
    outcome = theatre.run(ours, "crashmail", *TO, "-s", theatre.sendmail, *arguments, play=play)
    assert [subject.split()[1] for subject in _subjects(outcome.mails)] == told
    assert outcome.out == answers(3)


def test_no_address_no_mail(theatre: Theatre, ours: Implementation) -> None:
    """S2: it is a line in the log."""
    outcome = theatre.run(ours, "crashmail", "-s", theatre.sendmail, play=(exited(),))
    assert outcome.mails == []
    assert outcome.told[2] == "unexpected exit, mailing"


@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "en_US.ISO-8859-1"])
def test_mail_is_utf8_whatever_the_locale(
    theatre: Theatre, ours: Implementation, locale: str
) -> None:
    """S12: a name in any script arrives, and the mail says how it is encoded."""
    outcome = theatre.run(
        ours,
        "crashmail",
        *TO,
        "-s",
        theatre.sendmail,
        play=(exited("爬虫"),),
        environment={"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    )
    assert outcome.out == answers(1)
    (mail,) = outcome.mails
    assert "Process 爬虫 in group pets" in mail
    assert 'charset="utf-8"' in mail


def test_the_mail_ends_with_the_log(
    theatre: Theatre, ours: Implementation, daemon: DaemonDouble
) -> None:
    """The text of the original first, then whole lines of both logs, quoted."""
    daemon.logs["stdout", "pets:cat"] = "x" * 5000 + "\nlast words\n.\n"
    daemon.logs["stderr", "pets:cat"] = "Traceback\n错误\n"
    outcome = theatre.run(
        ours, "crashmail", *TO, "-s", theatre.sendmail, play=(exited(),), url=daemon.url
    )
    (mail,) = outcome.mails
    assert mail.partition("\n\n")[2] == (
        "Process cat in group pets exited unexpectedly (pid 2766) from state RUNNING\n\n"
        "Last lines of stdout of pets:cat:\n\n> last words\n> .\n\n"
        "Last lines of stderr of pets:cat:\n\n> Traceback\n> 错误"
    )


def test_how_much_of_the_log(theatre: Theatre, ours: Implementation, daemon: DaemonDouble) -> None:
    """--log-tail is a number of bytes; 0 asks for nothing."""
    daemon.logs["stdout", "pets:cat"] = "one\ntwo\nthree\n"
    sendmail = ("-s", theatre.sendmail)
    for limit, quoted in ((8, ["> three"]), (4, ["> ree"]), (0, [])):
        tail = f"--log-tail={limit}"
        outcome = theatre.run(
            ours, "crashmail", *TO, *sendmail, tail, play=(exited(),), url=daemon.url
        )
        (mail,) = outcome.mails
        assert [line for line in mail.splitlines() if line.startswith(">")] == quoted
    assert [call[2:] for call in daemon.calls if call[0] == "tailProcessStdoutLog"] == [
        (0, 8),
        (0, 4),
    ]


def test_no_log_no_matter(theatre: Theatre, ours: Implementation, daemon: DaemonDouble) -> None:
    """A daemon that refuses, or is not there, does not keep the mail back."""
    daemon.refuse("tailProcessStdoutLog", "pets:cat", 20, "NO_FILE: pets:cat")
    daemon.logs["stderr", "pets:cat"] = "oops\n"
    for url, end in ((daemon.url, "> oops"), ("unix:///nonexistent", "RUNNING")):
        outcome = theatre.run(
            ours, "crashmail", *TO, "-s", theatre.sendmail, play=(exited(),), url=url
        )
        (mail,) = outcome.mails
        assert mail.endswith(end)


@pytest.mark.parametrize("answer", [[], [1, 2, False], "text", {}])
def test_a_log_of_an_odd_shape(
    theatre: Theatre, ours: Implementation, daemon: DaemonDouble, answer: object
) -> None:
    """As good as none."""
    daemon.odd = answer
    outcome = theatre.run(
        ours, "crashmail", *TO, "-s", theatre.sendmail, play=(exited(),), url=daemon.url
    )
    (mail,) = outcome.mails
    assert mail.endswith("from state RUNNING")
    assert "Traceback" not in outcome.err


def test_a_stuck_daemon_does_not_keep_the_mail_back(
    theatre: Theatre, ours: Implementation, daemon: DaemonDouble
) -> None:
    """It has some seconds to answer."""
    daemon.hold("tailProcessStdoutLog")
    outcome = theatre.run(
        ours, "crashmail", *TO, "-s", theatre.sendmail, play=(exited(),), url=daemon.url
    )
    assert outcome.out == answers(1)
    (mail,) = outcome.mails
    assert mail.endswith("from state RUNNING")


def test_what_sendmail_says_does_not_break_the_protocol(
    theatre: Theatre, ours: Implementation
) -> None:
    """Its output goes to our log; so does its failure."""
    command = f"{theatre.sendmail}; echo Email was sent successfully; exit 3"
    outcome = theatre.run(ours, "crashmail", *TO, "-s", command, play=(exited(), exited()))
    assert outcome.out == answers(2)
    assert len(outcome.mails) == 2
    assert "Email was sent successfully\n" in outcome.err
    assert "ended with status 3\n" in outcome.err


def test_the_mail_of_the_article(
    launch: Launch, either: Implementation, ours: Implementation, theatre: Theatre
) -> None:
    """Seed B13: nested quotes are one argument of -s; one mail for a program that is killed."""
    script = theatre.directory / "sendmail"
    shutil.copy(script, theatre.directory / "send mail")
    mailer = f"'{theatre.directory}/send mail' -f a@b -t c@d -u 'supervisord' -m"
    daemon = launch(
        either,
        program("cat", OBEDIENT, autorestart="false", redirect_stderr="true")
        + f"""[eventlistener:email]
command={ours.program("crashmail")} -a -s "{mailer}" -m x@y
events=PROCESS_STATE_EXITED
redirect_stderr=false
""",
    )
    daemon.until_state("cat", "RUNNING")
    daemon.until_state("email", "RUNNING")
    daemon.call("supervisor.sendProcessStdin", "cat", "echo 'my last words'; kill -9 $$\n")
    daemon.until_state("cat", "EXITED")
    found: list[str] = until(theatre.mails, "a mail came")
    assert len(found) == 1
    lines = found[0].splitlines()
    assert lines[0] == "args: -f a@b -t c@d -u supervisord -m"
    assert lines[1] == "To: x@y"
    assert lines[2].startswith("Subject:  cat crashed at 20")
    assert lines[4].startswith("Process cat in group cat exited unexpectedly (pid ")
    assert lines[-1] == "> my last words"


def test_values_with_blanks(theatre: Theatre, ours: Implementation) -> None:
    """A process whose name contains a blank is called by its whole name."""
    outcome = theatre.run(
        ours, "crashmail", *TO, "-s", theatre.sendmail, play=(exited("my cat", "our pets"),)
    )
    (mail,) = outcome.mails
    assert "\n\nProcess my cat in group our pets exited" in mail


def test_length_counts_characters(theatre: Theatre, ours: Implementation) -> None:
    """Payloads in any script, with any kind of newline, are followed by the next event."""
    talk = (
        "PROCESS_LOG_STDOUT",
        "processname:cat groupname:g pid:1 channel:stdout\n你好\r\nmiau\r",
    )
    outcome = theatre.run(
        ours, "crashmail", *TO, "-s", theatre.sendmail, play=(talk, talk, exited(), talk)
    )
    assert outcome.out == answers(4)
    assert len(outcome.mails) == 1


def test_half_an_event_is_none(theatre: Theatre, ours: Implementation) -> None:
    """supervisord dies while it writes: what is cut off is not acted on."""
    whole = events(exited())
    for cut in (1, 40, len(whole) - 1):
        outcome = theatre.run(
            ours, "crashmail", *TO, "-s", theatre.sendmail, written=whole + whole[:-cut]
        )
        assert (outcome.code, outcome.out) == (1, answers(1))
        assert len(outcome.mails) == 1
