"""Log files: names, contents, rotation, clearing, reopening, capture, and the main log's lines."""

from __future__ import annotations

import re
import signal

import pytest

from oracle.compare import assert_same, plain, side_by_side
from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.programs import OBEDIENT, program
from support.rpc import raw
from support.waiting import until

pytestmark = pytest.mark.oracle

WRITERS = (
    program(
        "small",
        OBEDIENT,
        stdout_logfile="%(here)s/small.log",
        stdout_logfile_maxbytes=1000,
        stdout_logfile_backups=2,
    )
    + program(
        "nobackup",
        OBEDIENT,
        stdout_logfile="%(here)s/nobackup.log",
        stdout_logfile_maxbytes=1000,
        stdout_logfile_backups=0,
    )
    + program("both", OBEDIENT, stdout_logfile="%(here)s/both.log", redirect_stderr="true")
    + program("apart", OBEDIENT, stdout_logfile="%(here)s/o.log", stderr_logfile="%(here)s/e.log")
    + program(
        "captured",
        OBEDIENT,
        stdout_logfile="%(here)s/captured.log",
        stdout_capture_maxbytes="1KB",
    )
    + program("auto", OBEDIENT)
    + program("never", autostart="false")
)


def _say(daemon: Daemon, name: str, line: str, channel: str = "Stdout") -> None:
    """Let a program print a line, and wait until the line was logged."""
    before = daemon.client.outcome(f"supervisor.tailProcess{channel}Log", name, 0, 0)[1]
    redirect = " >&2" if channel == "Stderr" else ""
    daemon.call("supervisor.sendProcessStdin", name, f"printf '%s\\n' {line!r}{redirect}\n")

    def logged() -> bool:
        after = daemon.client.outcome(f"supervisor.tailProcess{channel}Log", name, 0, 0)[1]
        return bool(after != before)

    until(logged, lambda: f"{name} logged {line!r}: {daemon.log_text()[-500:]}")


def _files(daemon: Daemon) -> dict[str, str]:
    names = sorted(path.name for path in daemon.directory.iterdir() if ".log" in path.name)
    found = {}
    for name in names:
        if not name.startswith("supervisord"):
            shown = name.replace(daemon.identifier, "<identifier>")
            shown = re.sub(r"-\w{8}\.log", "-<random>.log", shown)
            found[shown] = daemon.file(name)
    return found


def test_files_and_their_contents(
    launch: Launch, original: Implementation, ours: Implementation
) -> None:
    """Separate, redirected, AUTO and rotated logs; then cleared, then moved away and reopened."""

    def run(which: Implementation) -> dict[str, object]:
        daemon = launch(which, WRITERS)
        for name in ("small", "nobackup", "both", "apart", "captured", "auto"):
            daemon.until_state(name, "RUNNING")
        heard: dict[str, object] = {}
        # Lines of 100 bytes, of which ten fill a file exactly.
        for number in range(25):
            _say(daemon, "small", f"{number:099d}")
        for number in range(9):
            _say(daemon, "nobackup", f"{number:099d}")
        for name in ("both", "apart", "auto"):
            _say(daemon, name, "to stdout")
        _say(daemon, "both", "to stderr in stdout")
        daemon.call("supervisor.sendProcessStdin", "both", "echo error >&2\n")
        daemon.until_file("both.log", "^error$")
        _say(daemon, "apart", "to stderr", "Stderr")
        heard["written"] = _files(daemon)

        heard["clear"] = daemon.client.outcome("supervisor.clearProcessLogs", "apart")
        _say(daemon, "apart", "after clear")
        heard["cleared"] = _files(daemon)

        (daemon.directory / "o.log").rename(daemon.directory / "o.log.moved")
        daemon.signal(signal.SIGUSR2)
        until((daemon.directory / "o.log").exists, "o.log was made again")
        _say(daemon, "apart", "after reopen")
        heard["reopened"] = _files(daemon)

        hidden = "text <!--XSUPERVISOR:BEGIN-->hidden<!--XSUPERVISOR:END--> and more"
        daemon.call("supervisor.sendProcessStdin", "captured", f"echo '{hidden}'\n")
        # The original holds the last bytes back (G22): push them out.
        daemon.call("supervisor.sendProcessStdin", "captured", f"echo {'x' * 60}\n")
        daemon.until_file("captured.log", "and more")
        heard["captured"] = daemon.file("captured.log").split("xxx")[0]
        return heard

    assert_same("log files", *side_by_side(run, original, ours))


def test_following_a_log_over_http(
    launch: Launch, original: Implementation, ours: Implementation
) -> None:
    """The headers and the first bytes of /logtail and /mainlogtail."""

    def run(which: Implementation) -> dict[str, object]:
        daemon = launch(which, WRITERS)
        daemon.until_state("both", "RUNNING")
        _say(daemon, "both", "first line")
        heard: dict[str, object] = {}
        for path in ("/logtail/both", "/logtail/both:both/stdout"):
            asked = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
            got = raw(daemon.socket, asked, enough=b"first line\n").decode()
            head, _, body = got.partition("\r\n\r\n")
            skipped = ("date", "last-modified", "server", "x-content-type-options")
            kept = [line for line in head.split("\r\n") if not line.lower().startswith(skipped)]
            heard[path] = (sorted(line.lower() for line in kept), "first line\n" in body)
        return heard

    assert_same("following", *side_by_side(run, original, ours))


LIVES = (
    program("stays")
    + program("ends", "/bin/sh -c 'exit 0'", autorestart="false")
    + program("fails", "/bin/sh -c 'exit 3'", autorestart="false")
    + program("killed", "/bin/sh -c 'kill -9 $$'", autorestart="false")
    + program("quick", "/bin/sh -c 'exit 1'", startsecs=100, startretries=1)
    + program("absent", "/nonexistent/program", startretries=0)
    + program("nodir", directory="/nonexistent", startsecs=100, startretries=0)
    + program("stubborn", "/bin/sh -c 'trap \"\" TERM; echo set; read x'", stopwaitsecs=1)
    + program("slow", startsecs=1)
)


def test_what_the_main_log_tells(
    launch: Launch, original: Implementation, ours: Implementation
) -> None:
    """The lines people grep for, for every kind of start and end."""

    def run(which: Implementation) -> dict[str, object]:
        daemon = launch(which, LIVES)
        for name in ("quick", "absent", "nodir"):
            daemon.until_state(name, "FATAL")
        for name in ("ends", "fails", "killed"):
            daemon.until_state(name, "EXITED")
        for name in ("slow", "stays", "stubborn"):
            daemon.until_state(name, "RUNNING")
        until(
            lambda: "set" in daemon.call("supervisor.readProcessLog", "stubborn", 0, 0), "trap set"
        )
        until(daemon.has_executed_all, "every program has been executed")
        for name in ("stays", "stubborn"):
            assert daemon.call("supervisor.stopProcess", name) is True
        info = daemon.client.call("supervisor.getAllProcessInfo")
        daemon.signal(signal.SIGTERM)
        assert daemon.wait() == 0
        lines = plain("\n".join(daemon.log_lines()), daemon.directory).splitlines()
        names = [line.split("]")[0].split(":")[1] for line in LIVES.splitlines() if ":" in line]
        heard: dict[str, object] = {"audit": [line for line in lines if "audit:" in line]}
        lines = [line for line in lines if "audit:" not in line]
        for name in names:
            about = re.compile(rf"\b{name}\b(?!_)")
            told = [line for line in lines if about.search(line) and "waiting for" not in line]
            if name in ("ends", "fails", "killed"):
                # Whether a program that ends at once was seen running is a matter of luck.
                told = [line for line in told if "success:" not in line]
            heard[f"log {name}"] = [re.sub(r"\(\d+\)", "(<pid>)", line) for line in told]
        rest = [line for line in lines if not re.search("|".join(names), line)]
        heard["rest"] = [line for line in rest if "waiting for" not in line]
        for one in info:
            description = plain(one["description"], daemon.directory)
            heard[f"info {one['name']}"] = (one["statename"], one["exitstatus"], description)
        heard["nodir says"] = _files(daemon)
        return heard

    assert_same("main log", *side_by_side(run, original, ours))
