"""supervisorctl at a real terminal: the shell, completion, history, Ctrl-C, fg, logins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import pytest

from rpchost import rpc_host
from support.daemon import Daemon, Launch, run
from support.implementations import Implementation
from support.waiting import until
from terminal import CTRL_C, CTRL_D, CTRL_U, Terminal, terminal

PROGRAMS = """\
[program:cat]
command=/bin/cat
startsecs=0

[program:idle]
command=/bin/cat
autostart=false

[program:stubborn]
command=/bin/sh -c "trap '' TERM; echo deaf; while :; do sleep 0.1; done"
startsecs=0
stopwaitsecs=600
killasgroup=true

[program:日志]
command=/bin/sh -c "echo 你好; echo wörter >&2; exec cat"
startsecs=0

[program:many]
command=/bin/cat
numprocs=2
process_name=p%(process_num)d
startsecs=0
"""
PROMPT = "supervisor> "
BANNER = "==> Press Ctrl-C to exit <=="

Screen = Callable[..., AbstractContextManager[Terminal]]


@pytest.fixture(scope="module")
def daemon(launch_shared: Launch, ours: Implementation) -> Iterator[Daemon]:
    daemon = launch_shared(ours, PROGRAMS)
    for name in ("cat", "stubborn", "日志", "many:p0", "many:p1"):
        daemon.until_state(name, "RUNNING")
    yield daemon
    # Ten minutes of patience are for the tests, not for their end.
    with suppress(Exception):
        daemon.call("supervisor.signalProcess", "stubborn", "KILL")


@pytest.fixture
def ctl(daemon: Daemon) -> Screen:
    """Opens a terminal with our supervisorctl in it."""
    program = daemon.implementation.program("supervisorctl")

    def one(*words: str, **env: str) -> AbstractContextManager[Terminal]:
        return terminal([program, "-c", str(daemon.conf), *words], env)

    return one


def test_the_shell(ctl: Screen) -> None:
    """The status first, then a prompt; an empty line does nothing; quit leaves with 0."""
    with ctl() as screen:
        assert "cat                              RUNNING" in screen.until(PROMPT)
        screen.type("\n")
        assert screen.until(PROMPT) == f"\n{PROMPT}"
        screen.type("nonsense here\n")
        assert "*** Unknown syntax: nonsense here\n" in screen.until(PROMPT)
        screen.type("start nope\n")
        assert "nope: ERROR (no such process)\n" in screen.until(PROMPT)
        screen.type("quit\n")
        assert screen.end() == 0


def test_leaving_the_shell_by_a_key(ctl: Screen) -> None:
    """Ctrl-D or Ctrl-C: an empty line, exit code 0."""
    with ctl() as screen:
        screen.until(PROMPT)
        screen.type(CTRL_D)
        assert screen.end() == 0
        assert screen.shown.endswith("\n")
    with ctl() as screen:
        screen.until(PROMPT)
        assert screen.interrupt() == 0


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("stat\t", "status "),
        ("reloa\t", "reload "),
        ("stop c\t", "stop cat "),
        ("stop cat id\t", "stop cat idle "),
        ("stop m\t", "stop many:"),
        ("stop many:*\t", "stop many:* "),
        ("start 日\t", "start 日志 "),
        ("add man\t", "add many "),
        ("update cat id\t", "update cat idle "),
        ("help ava\t", "help avail "),
        ("open c\tx", "open cx"),
        ("nonsense c\tx", "nonsense cx"),
    ],
)
def test_completion(ctl: Screen, typed: str, completed: str) -> None:
    """Actions, processes, groups and topics; nothing where nothing fits."""
    with ctl() as screen:
        screen.until(PROMPT)
        screen.type(typed)
        # The bell of an ambiguous completion is not part of the line.
        until(
            lambda: screen.look() and completed in screen.shown.replace("\a", ""),
            lambda: f"{completed!r} in {screen.shown[-200:]!r}",
        )
        screen.type(CTRL_U + CTRL_D)
        assert screen.end() == 0


def test_what_is_offered(ctl: Screen) -> None:
    """Pressed twice, the key shows every way to go on."""
    with ctl() as screen:
        screen.until(PROMPT)
        screen.type("stop \t\t")
        offered = screen.until(PROMPT + "stop ").split()
        names = ["cat", "idle", "many:*", "many:p0", "many:p1", "stubborn", "日志"]
        assert [word.strip("\a") for word in offered if word.strip("\a") in names] == names


def test_history(ctl: Screen, scratch: Path) -> None:
    """Kept from one shell to the next, in the file of -r; the arrow brings a line back."""
    history = str(scratch / "history")
    with ctl("-r", history) as screen:
        screen.until(PROMPT)
        screen.type("status idle\n")
        screen.until(PROMPT)
        screen.type("quit\n")
        assert screen.end() == 0
    assert "status idle\nquit\n" in (scratch / "history").read_text()
    with ctl("-r", history) as screen:
        screen.until(PROMPT)
        screen.type("\x10\x10\n")  # Ctrl-P twice
        assert "idle                             STOPPED   Not started" in screen.until(PROMPT)
        screen.type("quit\n")
        assert screen.end() == 0


def test_questions_before_a_shutdown(ctl: Screen, daemon: Daemon) -> None:
    """Only a yes is a yes; also for a single action with -i (gotcha G88)."""
    with ctl() as screen:
        screen.until(PROMPT)
        for action, question in (
            ("shutdown", "Really shut the remote supervisord process down y/N? "),
            ("reload", "Really restart the remote supervisord process y/N? "),
        ):
            screen.type(action + "\n")
            screen.until(question)
            screen.type("no\n")
            assert screen.until(PROMPT) == f"no\n{PROMPT}"
    with ctl("-i", "shutdown") as screen:
        screen.until("y/N? ")
        screen.type("\n")
        assert screen.end() == 0
    assert daemon.call("supervisor.getState")["statename"] == "RUNNING"


def test_shutdown_from_the_shell(launch: Launch, ours: Implementation) -> None:
    """The daemon ends; the next command says so, and the shell stays."""
    daemon = launch(ours, "")
    with terminal([ours.program("supervisorctl"), "-c", str(daemon.conf)]) as screen:
        screen.until(PROMPT)
        screen.type("shutdown\n")
        screen.until("y/N? ")
        screen.type("yes\n")
        screen.until("Shut down\n")
        daemon.wait()
        screen.until(PROMPT)
        screen.type("status\n")
        assert "s.sock no such file\n" in screen.until(PROMPT)
        screen.type(CTRL_D)
        assert screen.end() == 0


@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_tail_follows_until_ctrl_c(ctl: Screen, daemon: Daemon, locale: str) -> None:
    """What was there, what comes, and an exit code of 0."""
    with ctl("tail", "-f", "日志", LC_ALL=locale) as screen:
        screen.until(f"{BANNER}\n你好\n")
        daemon.call("supervisor.sendProcessStdin", "日志", f"noch was: {locale} 世界\n")
        screen.until(f"noch was: {locale} 世界\n")
        screen.type(CTRL_C)
        assert screen.end() == 0


def test_tail_of_stderr_and_of_the_main_log(ctl: Screen) -> None:
    """In the shell Ctrl-C leads back to the prompt."""
    with ctl() as screen:
        screen.until(PROMPT)
        screen.type("tail -f 日志 stderr\n")
        screen.until(f"{BANNER}\nwörter\n")
        screen.type(CTRL_C)
        screen.until(PROMPT)
        screen.type("maintail -f\n")
        screen.until(BANNER)
        screen.until("INFO")
        screen.type(CTRL_C)
        screen.until(PROMPT)
        screen.type("quit\n")
        assert screen.end() == 0


def test_ctrl_c_cuts_a_command_short(ctl: Screen, daemon: Daemon) -> None:
    """130, as a shell would say; the daemon goes on stopping."""
    daemon.until_file(
        Path(daemon.call("supervisor.getProcessInfo", "stubborn")["logfile"]).name, "deaf"
    )
    with ctl("stop", "stubborn") as screen:
        daemon.until_state("stubborn", "STOPPING")
        screen.type(CTRL_C)
        assert screen.end() == 130
    daemon.call("supervisor.signalProcess", "stubborn", "KILL")
    daemon.until_state("stubborn", "STOPPED")


def test_fg(ctl: Screen) -> None:
    """Lines go to stdin, output comes back, Ctrl-C leaves; the process stays."""
    with ctl("fg", "cat") as screen:
        screen.until(BANNER)
        screen.type("wörter 世界\n")
        screen.until("wörter 世界\n")  # the terminal's echo
        screen.until("wörter 世界\n")  # and cat's
        screen.type(CTRL_C)
        screen.until("Exiting foreground\n")
        assert screen.end() == 0


def test_fg_ends_with_the_input(ctl: Screen, daemon: Daemon) -> None:
    """Where the original crashes (gotcha G90): Ctrl-D, or an empty stdin."""
    with ctl("fg", "cat") as screen:
        screen.until(BANNER)
        screen.type(CTRL_D)
        screen.until("Exiting foreground\n")
        assert screen.end() == 0
    answer = daemon.ctl("fg", "cat")
    assert answer.code == 0
    assert answer.lines[-1] == "Exiting foreground"


def test_fg_of_a_process_that_ends(ctl: Screen, daemon: Daemon) -> None:
    """Noticed with the next line."""
    with ctl("fg", "many:p0") as screen:
        screen.until(BANNER)
        daemon.call("supervisor.stopProcess", "many:p0")
        screen.type("hello\n")
        screen.until("Process got killed\nExiting foreground\n")
        assert screen.end() == 0


def test_a_login_is_asked_for(launch: Launch, ours: Implementation) -> None:
    """In the shell and with -i; the command is then done, also after a wrong answer."""
    login = "[unix_http_server]\nusername=jo\npassword=geheim\n"
    daemon = launch(ours, login, ready=False)
    daemon.until_logged("supervisord started")
    command = [ours.program("supervisorctl"), "-c", str(daemon.conf)]
    with terminal([*command, "-i", "version"]) as screen:
        for password in ("wrong", "geheim"):
            assert "Server requires authentication\n" in screen.until("Username:")
            screen.type("jo\n")
            screen.until("Password:")
            screen.type(password + "\n")
        screen.until("4.3.0\n")
        assert screen.end() == 0
    assert "geheim" not in screen.shown
    with terminal(command) as screen:
        screen.until("Username:")
        assert screen.interrupt() == 0
    answer = run([*command, "-i", "version"])
    assert (answer.code, answer.lines[0]) == (1, "Server requires authentication")


def test_nobody_reads_our_output(scratch: Path, ours: Implementation) -> None:
    """`supervisorctl status | head -1` ends without a traceback."""
    info = {"group": "g", "state": 20, "statename": "RUNNING", "description": "d" * 100}
    rows = [{**info, "name": f"p{number}"} for number in range(2000)]
    with rpc_host(scratch, getAllProcessInfo=rows) as host:
        command = f"{ours.program('supervisorctl')} -s {host.url} status | head -1"
        answer = run(["sh", "-c", command], cwd=scratch)
    assert answer.lines == ["g:p0".ljust(33) + "RUNNING   " + "d" * 100]
    assert answer.err == ""
