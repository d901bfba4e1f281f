"""alerts as a process: under a double that plays events, and under a real supervisord."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from xmlrpc.client import Fault

import pytest

from listeners import hook
from listeners.hook import Hook
from listeners.postoffice import post_office
from listeners.stage import NOWHERE, DaemonDouble, events, exited, fatal
from proctor.listeners import alert_facts
from proctor.listeners import alerts as program_of_alerts
from proctor.listeners.alert_config import AlertRule, Settings
from proctor.listeners.alert_queue import Queue
from proctor.listeners.alert_terms import Notice, Patience, Rule
from proctor.listeners.alert_texts import Style
from proctor.listeners.alerts import Desk
from proctor.listeners.loop import Event
from support.daemon import Launch, run
from support.implementations import Implementation
from support.programs import OBEDIENT, program
from support.rpc import free_port
from support.waiting import GENEROUS, until

RUNNING = ("PROCESS_STATE_RUNNING", "processname:cat groupname:pets from_state:STARTING pid:9")


class Played:
    """One alerts, fed with events; it ends when its standard input does, or is killed."""

    def __init__(self, command: list[str], directory: Path, url: str) -> None:
        self.log = directory / "err"
        with self.log.open("ab") as err:
            self.process = subprocess.Popen(
                command,
                cwd=directory,
                env={**os.environ, "SUPERVISOR_SERVER_URL" if url else "SUPERVISOR_ENABLED": url},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=err,
            )

    def play(self, *play: tuple[str, str]) -> None:
        """Give it events, and wait until it has acknowledged them."""
        assert self.process.stdin
        assert self.process.stdout
        for each in play:
            self.process.stdin.write(events(each))
            self.process.stdin.flush()
            answer = b"READY\nRESULT 2\nOK"
            assert self.process.stdout.read(len(answer)) == answer

    def until_said(self, text: str) -> None:
        """Wait for something in its log."""
        until(lambda: text in self.log.read_text(), lambda: f"{text}: {self.log.read_text()}")

    def until_kept(self, number: int) -> None:
        """Wait until so many messages are in the queue."""
        queue = self.log.parent / "queue"
        until(lambda: len(list(queue.glob("*-*.json"))) == number, f"{number} are kept")

    def end(self, signum: int = signal.SIGKILL) -> None:
        """Kill it."""
        self.process.send_signal(signum)
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()
        self.process.wait(GENEROUS)


Alerts = Callable[..., Played]


@pytest.fixture
def alerts(scratch: Path, ours: Implementation) -> Iterator[Alerts]:
    """Start it in the scratch directory, with these flags; a fast one."""
    started: list[Played] = []

    def start(*flags: str, url: str = NOWHERE) -> Played:
        fast = ["--batch=0", "--steady=0", "--retry=0.05", f"--queue={scratch}/queue"]
        started.append(Played([ours.program("alerts"), *fast, *flags], scratch, url))
        return started[-1]

    yield start
    for played in started:
        with contextlib.suppress(OSError):
            played.end()


@pytest.fixture
def server() -> Iterator[Hook]:
    """Where messages go."""
    with hook.serving() as serving:
        yield serving


def test_an_incident_from_beginning_to_end(
    alerts: Alerts, server: Hook, daemon: DaemonDouble
) -> None:
    """With what the daemon knows of it."""
    daemon.add("cat", "pets", state=100)
    daemon.processes[-1] |= {"statename": "EXITED", "start": 1000, "stop": 1062}
    daemon.logs["stderr", "pets:cat"] = "\n".join(f"line {n}" for n in range(30)) + "\n"
    alerts("--channel", server.url, "--lines", "2", url=daemon.url).play(exited(), exited())
    until(lambda: server.posts, "the crash is told")
    body = server.posts[0][1]
    assert body["text"].splitlines()[-3:] == ["Last lines of stderr:", "> line 28", "> line 29"]
    assert "End: exit status 0\nUptime: 0:01:02\n" in body["text"]
    assert body["processes"] == ["pets:cat"]
    assert not body["good"]


def test_the_end_is_told_once(alerts: Alerts, server: Hook) -> None:
    """And however often it crashed in between, its beginning was."""
    played = alerts("--channel", server.url)
    played.play(exited(), exited())
    until(lambda: server.posts, "the beginning is told")
    played.play(exited(), RUNNING)
    until(lambda: len(server.posts) > 1, "the end is told")
    played.play(RUNNING, fatal("dog"))
    until(lambda: len(server.posts) > 2, "the next is told")
    assert [title.partition(": ")[2] for title in server.told()] == [
        "exited unexpectedly", "has recovered", "has failed and is not started again (FATAL)",
    ]  # fmt: skip


def test_nothing_is_lost_while_the_network_is_down(alerts: Alerts) -> None:
    """Not even over kills, twice; in order, and nothing twice."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    for number, process in enumerate(("one", "two"), start=1):
        played = alerts("--channel", url)
        played.play(exited(process))
        played.until_said(f"cannot send '[{os.uname().nodename}] pets:one: exited")
        played.until_kept(number)
        played.end()
    with hook.serving(port) as server:
        played = alerts("--channel", url)
        played.play(exited("three"))
        until(lambda: len(server.posts) == 3, lambda: f"all are told: {server.told()}")
        played.until_kept(0)
    names = [title.partition(":")[2].partition(":")[0] for title in server.told()]
    assert names == ["one", "two", "three"]


def test_an_event_is_on_disk_before_it_is_acknowledged(alerts: Alerts, server: Hook) -> None:
    """Killed at once, the next one tells it."""
    for number in range(5):
        played = alerts("--channel", "http://127.0.0.1:1", "--batch=3000")
        played.play(exited(f"p{number}"))
        played.end()
    alerts("--channel", server.url)
    until(lambda: server.posts, "it is told")
    (title,) = server.told()
    assert title == "5 alerts: pets:p0, pets:p1, pets:p2, pets:p3, pets:p4"


def test_a_server_that_fails_is_tried_again(alerts: Alerts, server: Hook) -> None:
    """Until it takes it."""
    server.answers += [(500, ""), (503, "")]
    played = alerts("--channel", server.url)
    played.play(exited())
    until(lambda: len(server.posts) == 3, "it went through")
    assert len(set(server.told())) == 1
    played.until_said("again in 0.1 s: HTTP Error 503")


def test_a_channel_that_stalls_holds_up_no_other(alerts: Alerts, server: Hook) -> None:
    """Nor does it hold up the daemon: events are acknowledged all the same."""
    with hook.serving() as stuck:
        stuck.hold = True
        played = alerts("--channel", stuck.url, "--channel", server.url)
        played.play(*(fatal(f"p{number}") for number in range(20)))
        until(lambda: sum(body["text"].count("FATAL") for _, body in server.posts) == 20, "told")
        until(lambda: len(stuck.posts) == 1, "the one that stalls was asked")


def test_a_mail_after_the_server_refused_it(alerts: Alerts) -> None:
    """By SMTP, in Chinese."""
    with post_office() as office:
        office.refusals = 1
        url = f"mailto://{office.host}?from=a@example.com&to=b@example.com"
        alerts("--channel", url, "--lang=zh").play(fatal())
        until(lambda: office.letters, "the mail came")
        assert office.recipients == [["b@example.com"]]


def test_a_daemon_that_knows_nothing(alerts: Alerts, server: Hook, daemon: DaemonDouble) -> None:
    """There is a message all the same."""
    daemon.refuse("getProcessInfo", "pets:cat", 10, "BAD_NAME: cat")
    daemon.faults["tailProcessStdoutLog", "pets:cat"] = Fault(20, "NO_FILE")
    alerts("--channel", server.url, url=daemon.url).play(fatal())
    until(lambda: server.posts, "it is told")
    assert server.told() == ["pets:cat: has failed and is not started again (FATAL)"]


def test_a_daemon_that_is_stuck(
    scratch: Path, server: Hook, daemon: DaemonDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It delays messages for so long, and all of them together."""
    monkeypatch.setenv("SUPERVISOR_SERVER_URL", daemon.url)
    daemon.hold("getProcessInfo")
    notice = Notice("x", "grp:w1", "fatal", 0, 0, 0, 1, 0)
    assert alert_facts.ask(notice, 3, 0.2) == {}
    assert alert_facts.ask(notice, 3, -0.1) == {}
    # We may have gone before the daemon came round to it.
    until(lambda: ("getProcessInfo", "grp:w1") in daemon.calls, "it was asked")
    assert len([call for call in daemon.calls if call[0] == "getProcessInfo"]) == 1


def test_a_daemon_that_cannot_be_asked(alerts: Alerts, server: Hook) -> None:
    """One without a server: what it tells is enough."""
    alerts("--channel", server.url, url="").play(fatal())
    until(lambda: server.posts, "it is told")


def test_what_happened_before_it_listened(
    alerts: Alerts, server: Hook, daemon: DaemonDouble
) -> None:
    """It looks around when it starts."""
    daemon.processes[0] |= {"statename": "FATAL"}
    alerts("--channel", server.url, url=daemon.url)
    until(lambda: server.posts, "it is told")
    assert server.told() == ["web: has failed and is not started again (FATAL)"]


@pytest.mark.parametrize(
    ("silence", "before", "known"), [(3600.0, 1, False), (0.0, 1, True), (0.0, 0, False)]
)
def test_what_came_while_it_began(
    scratch: Path, monkeypatch: pytest.MonkeyPatch, silence: float, before: int, known: bool
) -> None:
    """Until, after the first event, none has come for a while, nobody knows when they happened."""
    monkeypatch.setattr(program_of_alerts, "_SILENCE", silence)
    rule = AlertRule(Rule("x", batch=3600), (), Style())
    starting = RUNNING[0].replace("RUNNING", "STARTING"), RUNNING[1]
    with contextlib.closing(Queue(str(scratch / "queue"), 9, print)) as queue:
        desk = Desk(Settings((rule,), Patience(), "", 1), queue)
        for event in [("PROCESS_STATE_RUNNING", "")] * before + [starting, exited()]:
            desk.handle(Event(*event))
        saved = queue.state()
        assert saved is not None
        (notice,) = saved["notices"]
        assert (notice["uptime"] is not None) == known


def test_two_cannot_share_a_queue(alerts: Alerts, server: Hook) -> None:
    """The second says so and ends."""
    first = alerts("--channel", server.url)
    first.play(RUNNING)
    second = alerts("--channel", server.url)
    assert second.process.wait(GENEROUS) == 2
    second.until_said("another alerts is using it")


def test_the_test(scratch: Path, ours: Implementation, server: Hook) -> None:
    """--test tells every channel, and says of each how it went."""
    command = [ours.program("alerts"), "--test", "--channel", server.url]
    answer = run([*command, "--lang", "zh"], cwd=scratch)
    assert (answer.code, answer.lines) == (0, ["[alerts] webhook 127.0.0.1: sent"])
    assert server.told() == ["告警测试"]
    server.answers.append((500, ""))
    answer = run([*command, "--channel", "command:true"], cwd=scratch)
    assert (answer.code, answer.lines[1]) == (1, "[alerts] command true: sent")
    assert "500" in answer.lines[0]


def test_wrong_usage(scratch: Path, ours: Implementation) -> None:
    """Status 2, and what to do; --check finds it without sending anything."""
    (scratch / "alerts.conf").write_text("[alerts]\nchannels=command:x\nkind=fatal\n")
    words = [ours.program("proctor"), "alerts", "--check", "-c", "alerts.conf"]
    answer = run(words, cwd=scratch)
    assert answer.code == 2
    assert "at alerts.conf:3 [alerts] kind\n  hint: did you mean kinds?" in answer.err
    (scratch / "alerts.conf").write_text("[alerts]\nchannels=command:x\n")
    answer = run(words, cwd=scratch)
    assert (answer.code, answer.out, answer.err) == (0, "alerts.conf: no mistakes\n", "")
    env = {"SUPERVISOR_SERVER_URL": ""}
    assert run([*words[:2], "-c", "nowhere"], cwd=scratch, env=env).code == 2
    assert run([*words[:2], "--channel", "command:x"], cwd=scratch).code == 2


def test_under_a_supervisord(launch: Launch, either: Implementation, ours: Implementation) -> None:
    """One section; a crash with its signal, its uptime, its last words; and its end."""
    with hook.serving() as server:
        daemon = launch(
            either,
            program("cat", OBEDIENT, autorestart="false")
            + f"""[eventlistener:alerts]
command={ours.program("alerts")} --config %(here)s/alerts.conf
events=PROCESS_STATE,PROCESS_GROUP,REMOTE_COMMUNICATION
[alerts]
""",
            ready=False,
        )
        (daemon.directory / "alerts.conf").write_text(
            f"[alerts]\nchannels={server.url}\nbatch=0\nsteady=0\n"
        )
        daemon.until_state("cat", "RUNNING")
        daemon.until_state("alerts", "RUNNING")
        say = "echo 'my last words'; echo oh >&2; kill -9 $$\n"
        daemon.call("supervisor.sendProcessStdin", "cat", say)
        until(lambda: server.posts, "the crash is told")
        text = server.posts[0][1]["text"]
        assert re.search(r"End: terminated by SIGKILL\nUptime: 0:\d\d:", text)
        assert text.endswith("Last lines of stderr:\n> oh\nLast lines of stdout:\n> my last words")
        daemon.call("supervisor.startProcess", "cat")
        until(lambda: len(server.posts) > 1, "the end is told")
        data = "processname:cat groupname:cat state:bad\n512 MB"
        daemon.call("supervisor.sendRemoteCommEvent", "memory", data)
        until(lambda: len(server.posts) > 2, "memory is told")
        assert server.told() == [
            "cat: exited unexpectedly", "cat: has recovered", "cat: uses too much memory",
        ]  # fmt: skip
        assert "Reason: 512 MB" in server.posts[2][1]["text"]
