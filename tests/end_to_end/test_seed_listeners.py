"""Scenarios A5, A7, B13 and D of compat/seeds.md: listeners as their authors wrote them."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.listeners import eventlistener, recorder, until_recorded
from support.programs import OBEDIENT, path_with_python, program
from support.waiting import until

# As the seed has it, but for the mail, which is a line in a file: it says READY itself, and then
# calls `wait`, which says it again.
DOUBLE_READY = """\
import sys
from supervisor import childutils


def write_stdout(s):
    sys.stdout.write(s)
    sys.stdout.flush()


def write_stderr(s):
    sys.stderr.write(s)
    sys.stderr.flush()


def send_mail(subject):
    with open("mails", "a") as box:
        box.write(subject + "\\n")


def main():
    while True:
        write_stdout("READY\\n")
        headers, body = childutils.listener.wait(sys.stdin, sys.stdout)
        body = dict([pair.split(":") for pair in body.split(" ")])
        write_stderr(str(headers) + str(body) + "\\n")
        if body["processname"] == "spider":
            if headers["eventname"] == "PROCESS_STATE_STOPPED":
                send_mail("spider was stopped")
            elif headers["eventname"] == "PROCESS_STATE_EXITED":
                send_mail("spider exited, pid " + body["pid"])
        write_stdout("RESULT 2\\nOK")


if __name__ == "__main__":
    main()
"""

# The listener of seed D, converted to Python 3.
CRASHED = """\
import os, subprocess, sys
from supervisor import childutils


class ProcessesMonitor:
    def __init__(self):
        self.stdin = sys.stdin
        self.stdout = sys.stdout

    def runforever(self):
        while True:
            headers, payload = childutils.listener.wait(self.stdin, self.stdout)
            if headers["eventname"] != "PROCESS_STATE_EXITED":
                childutils.listener.ok(self.stdout)
                continue
            pheaders, pdata = childutils.eventdata(payload + "\\n")
            if int(pheaders["expected"]):
                childutils.listener.ok(self.stdout)
                continue
            message = "Process %(processname)s (pid %(pid)s) left %(from_state)s" % pheaders
            subprocess.call("sh ./alert '" + message + "'", shell=True)
            childutils.listener.ok(self.stdout)


if __name__ == "__main__":
    if "SUPERVISOR_SERVER_URL" not in os.environ:
        sys.exit("must be run as a supervisor event listener")
    ProcessesMonitor().runforever()
"""

# Takes its time: goes on when the test says so.
ALERT = """\
echo "$1" >> alerts
while [ ! -e finished ]; do sleep 0.05; done
"""

HAND_MADE = """\
import sys
while True:
    sys.stdout.write("READY\\n")
    sys.stdout.flush()
    line = sys.stdin.readline()
    headers = dict(x.split(":") for x in line.split())
    sys.stdin.read(int(headers["len"]))
    sys.stdout.write({answer!r})
    sys.stdout.flush()
"""


@pytest.fixture
def place(scratch: Path) -> Path:
    """A directory for the scripts, which is the current directory of the listeners."""
    (scratch / "listener.py").write_text(DOUBLE_READY)
    (scratch / "crashed.py").write_text(CRASHED)
    (scratch / "alert").write_text(ALERT)
    return scratch


def script(place: Path, name: str, events: str, **options: object) -> str:
    """A listener section for `python NAME` in the scripts' directory."""
    chosen = {"directory": place, "autorestart": "true", **options}
    return eventlistener("listener", f"{sys.executable} {name}", events, **chosen)


def wait_for(path: Path, text: str) -> None:
    """Until a file holds this line."""
    until(lambda: text in path.read_text().splitlines(), lambda: f"{text!r} in {path}")


def test_a5_a_double_ready_is_what_its_author_meant(
    launch: Launch, ours: Implementation, place: Path
) -> None:
    """One mail on exit and one on stop (G16); A7: bodies can be split by blanks and colons."""
    listener = script(place, "listener.py", "PROCESS_STATE", stderr_logfile="%(here)s/err")
    daemon = launch(ours, listener + program("spider", OBEDIENT) + program("other"))
    daemon.until_state("listener", "RUNNING")
    daemon.until_state("spider", "RUNNING")
    pid = daemon.client.pid("spider")
    daemon.call("supervisor.sendProcessStdin", "spider", "exit 3\n")
    wait_for(place / "mails", f"spider exited, pid {pid}")
    daemon.until_state("spider", "RUNNING")
    daemon.ctl("stop", "spider", "other")
    wait_for(place / "mails", "spider was stopped")
    assert len((place / "mails").read_text().splitlines()) == 2
    assert daemon.client.state("listener") == "RUNNING"
    assert "UNKNOWN" not in daemon.log_text()
    daemon.until_file("err", "'processname': 'other'")


def crashed_daemon(launch: Launch, ours: Implementation, place: Path) -> Daemon:
    """With the listener of seed D and a program that can be told to crash."""
    listener = script(place, "crashed.py", "PROCESS_STATE")
    daemon = launch(ours, listener + program("cat", OBEDIENT), environment=path_with_python())
    daemon.until_state("listener", "RUNNING")
    daemon.until_state("cat", "RUNNING")
    return daemon


def test_d1_d2_d3_a_listener_that_runs_commands(
    launch: Launch, ours: Implementation, place: Path
) -> None:
    """It hears of an unexpected exit and runs a command that takes long: all else goes on, and the
    next event waits for it."""
    daemon = crashed_daemon(launch, ours, place)
    first = daemon.client.pid("cat")
    daemon.call("supervisor.sendProcessStdin", "cat", "exit 3\n")
    wait_for(place / "alerts", f"Process cat (pid {first}) left RUNNING")
    daemon.until_state("cat", "RUNNING")
    assert daemon.ctl("status", "cat").code == 0
    second = daemon.client.pid("cat")
    daemon.call("supervisor.sendProcessStdin", "cat", "exit 4\n")
    daemon.until_logged(r"WARN exited: cat \(exit status 4; not expected\)")
    assert len((place / "alerts").read_text().splitlines()) == 1
    (place / "finished").touch()
    wait_for(place / "alerts", f"Process cat (pid {second}) left RUNNING")


def test_d4_header_and_body(launch: Launch, ours: Implementation) -> None:
    """Field by field; serials begin with 0."""
    daemon = launch(ours, recorder("el", "PROCESS_STATE_EXITED") + program("cat", OBEDIENT))
    daemon.until_state("el", "RUNNING")
    daemon.until_state("cat", "RUNNING")
    pid = daemon.client.pid("cat")
    daemon.call("supervisor.sendProcessStdin", "cat", "exit 1\n")
    (event,) = until_recorded(daemon, "el", "EXITED")
    body = f"processname:cat groupname:cat from_state:RUNNING expected:0 pid:{pid}"
    assert event.payload == body
    assert event.header == (
        f"ver:3.0 server:{daemon.identifier} serial:0 pool:el poolserial:0"
        f" eventname:PROCESS_STATE_EXITED len:{len(body)}\n"
    )


@pytest.mark.parametrize(
    ("answer", "works"),
    [("RESULT\nOK", False), ("RESULT 2\nOK", True), ("RESULT 2\nOK\n", True)],
)
def test_d5_answers(
    launch: Launch, ours: Implementation, place: Path, answer: str, works: bool
) -> None:
    """`RESULT\\nOK` of the prose is none; a newline behind a right one does no harm (G64)."""
    (place / "hand.py").write_text(HAND_MADE.format(answer=answer))
    daemon = launch(
        ours, script(place, "hand.py", "REMOTE_COMMUNICATION"), settings="loglevel=debug"
    )
    daemon.until_state("listener", "RUNNING")
    for _ in range(3):
        daemon.call("supervisor.sendRemoteCommEvent", "t", "d")
    if works:
        daemon.until_logged("DEBG listener: event was processed", 3)
    else:
        daemon.until_logged("WARN listener: bad result line: 'RESULT'")
        daemon.until_logged("listener: has entered the UNKNOWN state")


def test_d6_a_listener_that_ends_after_each_event(launch: Launch, ours: Implementation) -> None:
    """autorestart=true: the next event goes to the new process, each exactly once."""
    daemon = launch(ours, recorder("el", "REMOTE_COMMUNICATION", "once", autorestart="true"))
    daemon.until_state("el", "RUNNING")
    for number in range(6):
        daemon.call("supervisor.sendRemoteCommEvent", "t", str(number))
    events = until_recorded(daemon, "el", "5$")
    assert [one.payload[-1] for one in events] == list("012345")


@pytest.mark.oracle
@pytest.mark.parametrize("whose", ["original", "proctor"])
def test_b13_crashmail_with_quotes_in_quotes(
    launch: Launch, ours: Implementation, original: Implementation, place: Path, whose: str
) -> None:
    """superlance's and ours: the nested quotes are one argument; one crash, one mail."""
    side = original if whose == "original" else ours
    sendmail = place / "sendmail"
    sendmail.write_text(
        f'#!/bin/sh\nfor word; do echo "$word" >> {place}/words; done\ncat >> {place}/mail\n'
    )
    sendmail.chmod(0o755)
    command = (
        f"{side.program('crashmail')} -a -s \"{sendmail} -f a@b -t c@d -s smtp.x -u 'supervisord'"
        ' -xu a@b -xp xxxxxx -m" -m x@y'
    )
    listener = eventlistener(
        "email", command, "PROCESS_STATE_EXITED", redirect_stderr="false", startsecs=1
    )
    daemon = launch(ours, listener + program("web"))
    daemon.until_state("email", "RUNNING")
    daemon.until_state("web", "RUNNING")
    os.kill(daemon.client.pid("web"), signal.SIGKILL)
    mail = place / "mail"
    until(lambda: "To: x@y" in mail.read_text() and "Subject: " in mail.read_text(), "a mail")
    assert (place / "words").read_text().split("\n")[:10] == (
        ["-f", "a@b", "-t", "c@d", "-s", "smtp.x", "-u", "supervisord", "-xu", "a@b"]
    )
    assert "Subject:  web crashed at" in mail.read_text()
    assert mail.read_text().count("To: ") == 1
