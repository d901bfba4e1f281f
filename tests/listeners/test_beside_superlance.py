"""Where nothing is mended, ours and the original's say the same: tokens, log, mails, calls."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from listeners.stage import TICK, DaemonDouble, Theatre, exited, fatal
from listeners.website import Website, website
from support.implementations import Implementation
from support.waiting import until

pytestmark = pytest.mark.oracle

MAIL = ("-m", "dev@example.com", "-s", "SENDMAIL")
SMTP = ("-t", "a@example.com, b@example.com", "-f", "c@example.com", "-H", "127.0.0.1:1")
DEATHS = (exited(), exited("dog", expected=1), exited("a.b-c"), fatal(), ("TICK_5", "when:5"))


Sides = tuple[Implementation, Implementation]


@pytest.fixture(scope="module")
def sides(original: Implementation, ours: Implementation) -> Sides:
    """Theirs, then ours."""
    return original, ours


@pytest.fixture(scope="module")
def site() -> Iterator[Website]:
    """A web server for the whole file."""
    with website() as opened:
        yield opened


@pytest.fixture(scope="module")
def parent() -> Iterator[int]:
    """The pid of a process with a child."""
    command = ["/bin/sh", "-c", "sleep 1000 & echo $!; wait"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        # Until then it is a copy of the shell, of another size.
        until(lambda: Path(f"/proc/{child}/cmdline").read_bytes().startswith(b"sleep"), "it sleeps")
        yield process.pid
        process.kill()
        os.kill(child, 9)


def _told(theatre: Theatre, side: Implementation, *words: str, **more: Any) -> Any:
    command, *arguments = (word.replace("SENDMAIL", theatre.sendmail) for word in words)
    return theatre.run(side, command, *arguments, **more).told


def _both(theatre: Theatre, sides: Sides, *words: str, **more: Any) -> tuple[Any, Any]:
    theirs, mine = (_told(theatre, side, *words, **more) for side in sides)
    return theirs, mine


CRASHMAIL: list[tuple[str, ...]] = [
    MAIL,
    (*MAIL, "-a"),
    (*MAIL, "-p", "cat", "-p", "pets:a.b-c"),
    (*MAIL, "-o", "hello there"),
    ("--ema", "dev@example.com", "--send=SENDMAIL -f x 'y z'", "--optional", "h"),
    ("--email=dev@example.com", "-sSENDMAIL"),
    (*MAIL, "ignored", "--bogus"),
]


@pytest.mark.parametrize("arguments", CRASHMAIL, ids=" ".join)
def test_crashmail(theatre: Theatre, sides: Sides, arguments: tuple[str, ...]) -> None:
    """Mails, in the same words, for the same events."""
    theirs, mine = _both(theatre, sides, "crashmail", *arguments, play=DEATHS)
    assert mine == theirs


@pytest.mark.parametrize("command", ["crashmailbatch", "fatalmailbatch", "crashsms"])
@pytest.mark.parametrize(
    ("more", "ticks"),
    [((), 1), (("-i", "0.5"), 1), (("-i", "2"), 2), (("-s", "Oh"), 1), (("-e", "TICK_5"), 1)],
)
def test_batch_tools(
    theatre: Theatre,
    sides: Sides,
    command: str,
    more: tuple[str, ...],
    ticks: int,
) -> None:
    """Lines and what is told about mails (here to a server that refuses the connection)."""
    arguments = (command, *SMTP, *more)
    theirs, mine = _both(theatre, sides, *arguments, play=(*DEATHS, exited("äöü"), *[TICK] * ticks))
    assert mine == theirs


HTTPOK: list[tuple[str, ...]] = [
    ("SITE/ok?a=b#c",),
    ("-p", "web", *MAIL, "SITE/ok"),
    ("-p", "web", *MAIL, "SITE/500"),
    ("-p", "web", "-p", "grp:w1", "-p", "off", "-p", "x", "-p", "x:y", *MAIL, "SITE/500"),
    ("-a", "-n", "N", *MAIL, "SITE/500"),
    ("-a", "-p", "web", *MAIL, "SITE/500"),
    ("-p", "off", "-E", *MAIL, "SITE/500"),
    ("-p", "web", "-E", *MAIL, "SITE/500"),
    ("-E", "-e", *MAIL, "SITE/500"),
    ("-E", *MAIL, "SITE/500"),
    (*MAIL, "SITE/500"),
    ("SITE/500",),
    (*MAIL, "SITE/away"),
    ("-c", "302", "--code", "500", *MAIL, "SITE/away"),
    ("-t", "1", *MAIL, "SITE/late"),
    (*MAIL, "http://nowhere.invalid/"),
    ("-p", "web", "-g", "echo core", "-d", "/somewhere", *MAIL, "SITE/500"),
]  # fmt: skip


@pytest.mark.parametrize("arguments", HTTPOK, ids=" ".join)
def test_httpok(
    theatre: Theatre,
    sides: Sides,
    daemon: DaemonDouble,
    site: Website,
    arguments: tuple[str, ...],
) -> None:
    """Asks, restarts and mails alike."""
    words = [word.replace("SITE", site.url) for word in arguments]
    play = (exited(), TICK)
    told, asked, changed = [], [], []
    for side in sides:
        site.seen.clear()
        daemon.rewind()
        told.append(_told(theatre, side, "httpok", *words, play=play, url=daemon.url))
        asked.append(list(site.seen))
        changed.append(daemon.changes())
    assert told[1] == told[0]
    assert asked[1] == asked[0]
    assert changed[1] == changed[0]


@pytest.mark.parametrize("verb", ["stopProcess", "startProcess"])
def test_httpok_reports_refusals(
    theatre: Theatre,
    sides: Sides,
    daemon: DaemonDouble,
    site: Website,
    verb: str,
) -> None:
    """A fault is a line of the report; the other half of the restart is tried all the same."""
    daemon.refuse(verb, "grp:w1", 30, "FAILED: grp:w1")
    arguments = ("httpok", "-a", *MAIL, f"{site.url}/500")
    told = []
    for side in sides:
        daemon.rewind()
        told.append(_told(theatre, side, *arguments, play=(TICK,), url=daemon.url))
    assert told[1] == told[0]


MEMMON: list[tuple[str, ...]] = [
    ("-a", "1", *MAIL),
    ("--any", "3gb", *MAIL),
    ("-a", "1", "-c", *MAIL),
    ("-a", "1", "-n", "N", *MAIL),
    ("-p", "sh=1GB", "-g", "sh=1", "-n", "N", *MAIL),
    ("-p", "sh=1KB", "--program=b=2MB", "-g", "x=1", "-n", "N", *MAIL),
    ("-a", "1", "-u", "1m", *MAIL),
    ("-a", "1", "-u", "99", *MAIL),
    ("-a", "1", "-u", "100", *MAIL),
    ("-a", "1"),
    ("-c",),
]


@pytest.mark.parametrize("arguments", MEMMON, ids=" ".join)
def test_memmon(
    theatre: Theatre,
    sides: Sides,
    parent: int,
    arguments: tuple[str, ...],
) -> None:
    """Sees the same numbers, restarts and mails alike."""
    double = DaemonDouble()
    double.add("sh", pid=parent, up=100)
    double.add("off", state=0)
    double.add("gone", pid=2**22 + 1)
    with double.serving():
        play = (exited(), TICK)
        theirs, mine = _both(theatre, sides, "memmon", *arguments, play=play, url=double.url)
    assert mine == theirs


@pytest.mark.parametrize(
    ("verb", "code"), [("stopProcess", 70), ("startProcess", 50)], ids=["stop", "start"]
)
def test_memmon_ends_when_refused(
    theatre: Theatre,
    sides: Sides,
    parent: int,
    verb: str,
    code: int,
) -> None:
    """Status 1 and no result, so that the event comes again; after a mail that says why."""
    double = DaemonDouble()
    double.add("sh", pid=parent)
    double.refuse(verb, "sh:sh", code, "NO: sh:sh")
    with double.serving():
        arguments = ("memmon", "-a", "1", *MAIL)
        theirs, mine = _both(theatre, sides, *arguments, play=(TICK,), url=double.url)
    assert mine == theirs
    assert mine[0] == 1


WRONG: list[tuple[str, ...]] = [
    ("crashmail", "--bogus"),
    ("crashmail", "-m"),
    ("httpok",),
    ("httpok", "--bogus", "http://x"),
    ("httpok", "http://a", "http://b"),
    ("httpok", "http://a", "-p", "x"),
    ("httpok", "ftp://x/"),
    ("memmon",),
    ("memmon", "--bogus"),
    ("memmon", "-p", "foo"),
    ("memmon", "-p", "foo=bar"),
    ("memmon", "--program", "foo=1=2"),
    ("memmon", "-g", "foo=1x"),
    ("memmon", "-a", "1x"),
    ("memmon", "--any", "1x"),
    ("memmon", "-a", "1KB", "-u", "1x"),
    ("memmon", "-a", "1KB", "--uptime=h"),
    ("crashmailbatch",),
    ("crashmailbatch", "-t", "a@b"),
    ("fatalmailbatch", "-f", "a@b"),
    ("crashsms", "--bogus"),
    ("crashsms", *SMTP, "-i", "soon"),
    ("crashsms", *SMTP, "-e", "NOON"),
    ("crashsms", *SMTP, "-e", "TICK_noon"),
    *[(name, "-h") for name in ("crashmail", "httpok", "memmon", "crashsms")],
]


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_wrong_usage_ends_alike(theatre: Theatre, sides: Sides, words: tuple[str, ...]) -> None:
    """The same status; help on the same stream; the same first line where it says what is wrong."""
    theirs, mine = (theatre.run(side, *words) for side in sides)
    assert mine.code == theirs.code
    assert bool(mine.out) == bool(theirs.out)
    for text in (theirs.out, theirs.err):
        told = text.splitlines()
        if told and told[0].startswith("Unparseable"):
            assert told[0] == mine.out.splitlines()[0]
        elif told and told[-1].startswith("ValueError: ") and "literal" not in told[-1]:
            assert told[-1] == f"ValueError: {mine.err.strip()}"
        elif "error: " in text:
            assert told[-1] == mine.err.splitlines()[-1]


@pytest.mark.parametrize(
    "words",
    [
        ("crashmail",),
        ("httpok", "http://x/"),
        ("httpok", "ftp://x/"),
        ("memmon", "-a", "1"),
        ("crashmailbatch", *SMTP),
        ("fatalmailbatch", *SMTP),
        ("crashsms", *SMTP),
    ],
    ids=" ".join,
)
def test_outside_of_supervisord(theatre: Theatre, sides: Sides, words: tuple[str, ...]) -> None:
    """They say that they cannot work there (memmon did it by a traceback), with the same status."""
    theirs, mine = (theatre.run(side, *words, url=None) for side in sides)
    assert (mine.code, mine.out) == (theirs.code, theirs.out)
    if words[0] != "memmon":
        assert mine.err == theirs.err


@pytest.mark.parametrize(
    "words", [("crashmail",), ("httpok", "http://x/"), ("memmon", "-a", "1"), ("crashsms", *SMTP)]
)
def test_the_end_of_supervisord(theatre: Theatre, sides: Sides, words: tuple[str, ...]) -> None:
    """End of input: status 1 after a last READY."""
    theirs, mine = (theatre.run(side, *words) for side in sides)
    assert (mine.code, mine.out) == (theirs.code, theirs.out) == (1, "READY\n")
