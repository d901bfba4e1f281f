"""Scenarios A of compat/seeds.md: a crawler with a listener."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from support.daemon import Launch, run
from support.implementations import Implementation
from support.programs import path_with_python
from support.rpc import ask, free_port
from support.waiting import until

CRAWLER = """\
import pathlib, sys, time
codes = pathlib.Path("codes")
code, _, rest = codes.read_text().partition(" ")
codes.write_text(rest)
print("crawling", flush=True)
print("oops", file=sys.stderr, flush=True)
time.sleep(1.2)
sys.exit(int(code))
"""

A1 = """\
[supervisord]
nodaemon=true
loglevel=info  
identifier={identifier}

[program:crawler]
command=python crawler.py 
autorestart=unexpected
exitcodes=0,2
stopsignal=TERM
{more}
"""  # noqa: W291  Blanks at the ends of lines are part of the scenario.


def test_a1_found_in_the_current_directory(
    launch: Launch, either: Implementation, scratch: Path
) -> None:
    """No -c: the file is found, the log is on stdout and in ./supervisord.log, and an exit code
    that is not listed leads to a restart."""
    (scratch / "crawler.py").write_text(CRAWLER)
    (scratch / "codes").write_text("3 2")
    (scratch / "supervisord.conf").write_text(A1.format(identifier=scratch.name, more=""))

    daemon = launch(
        either,
        ready=False,
        command=[either.program("supervisord")],
        arguments=(),
        cwd=scratch,
        environment=path_with_python() | {"TMPDIR": str(scratch)},  # AUTO logs go there
    )
    daemon.log = scratch / "supervisord.log"
    daemon.pidfile = scratch / "supervisord.pid"

    daemon.until_logged(r"WARN exited: crawler \(exit status 3; not expected\)")
    daemon.until_logged(r"INFO exited: crawler \(exit status 2; expected\)")
    assert daemon.log_text().count("INFO spawned: 'crawler' with pid") == 2
    daemon.until_file("console", r"INFO exited: crawler \(exit status 2; expected\)")
    if os.geteuid() == 0:
        assert "root" in daemon.file("console").split("INFO")[0]


def test_a2_relative_paths(launch: Launch, either: Implementation, scratch: Path) -> None:
    """Log files beside the current directory; logfile_maxbytes of a program means nothing."""
    work = scratch / "work"
    work.mkdir()
    (scratch / "log").mkdir()
    (work / "crawler.py").write_text(CRAWLER)
    (work / "codes").write_text("0")
    more = (
        "stdout_logfile=../log/crawler_out.log\n"
        "stderr_logfile=../log/crawler_err.log\n"
        "logfile_maxbytes=50MB\n"
    )
    text = A1.format(identifier=scratch.name, more=more)
    head = "[supervisord]\nlogfile=../log/supervisord.log\nlogfile_maxbytes=50MB\n"
    (work / "supervisord.conf").write_text(text.replace("[supervisord]\n", head))

    daemon = launch(
        either,
        ready=False,
        command=[either.program("supervisord")],
        arguments=(),
        cwd=work,
        environment=path_with_python() | {"TMPDIR": str(scratch)},  # AUTO logs go there
    )
    daemon.log = scratch / "log" / "supervisord.log"
    daemon.pidfile = work / "supervisord.pid"

    daemon.until_logged(r"exited: crawler \(exit status 0; expected\)")
    assert (scratch / "log" / "crawler_out.log").read_text() == "crawling\n"
    assert (scratch / "log" / "crawler_err.log").read_text() == "oops\n"


def test_a3_comment_after_the_server_url(launch: Launch, either: Implementation) -> None:
    """A trailing ` ;` is no part of the value; the page and supervisorctl work over TCP."""
    port = free_port()
    text = (
        "[supervisord]\nlogfile=%(here)s/supervisord.log\npidfile=%(here)s/supervisord.pid\n"
        f"[supervisorctl]\n;serverurl=unix:///tmp/supervisor.sock\n"
        f"serverurl=http://127.0.0.1:{port} ;\n"
        f"; [inet_http_server]\n[inet_http_server]\nport = 127.0.0.1:{port}\n"
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n"
        "[program:cat]\ncommand=/bin/cat\nstartsecs=0\nstdout_logfile=NONE\nstderr_logfile=NONE\n"
    )
    daemon = launch(either, whole=text, ready=False)

    until(lambda: ask(port).status == 200, "the page answers")
    until(lambda: "RUNNING" in daemon.ctl("status").out, "status shows a running program")
    assert daemon.ctl("stop", "cat").lines == ["cat: stopped"]


def test_a4_a_listener_beside(launch: Launch, either: Implementation) -> None:
    """[eventlistener:x] is accepted and run; what it writes is in its log."""
    listener = "import sys\nsys.stdout.write('READY\\n')\nsys.stdout.flush()\nsys.stdin.read()\n"
    programs = (
        "[program:spider]\ncommand=/bin/cat\nstartsecs=0\nstdout_events_enabled=true\n"
        "stderr_events_enabled=true\n"
        f"[eventlistener:listener]\ncommand={sys.executable} %(here)s/listener.py\n"
        "events=PROCESS_STATE\nautorestart=true\nstdout_logfile=listener.log\n"
    )
    daemon = launch(either, programs + "\n[include]\nfiles=later/*.conf\n", ready=False)
    (daemon.directory / "listener.py").write_text(listener)

    daemon.until_state("spider", "RUNNING")
    daemon.until_state("listener", "RUNNING")
    daemon.until_file("listener.log", "^READY$")


def test_a6_no_supervisord_section(either: Implementation, scratch: Path) -> None:
    """The article's last configuration is refused, by both."""
    (scratch / "supervisord.conf").write_text("[program:crawler]\ncommand=python crawler.py\n")
    answer = run([either.program("supervisord"), "-n"], cwd=scratch)
    assert answer.code == 2
    assert "Error: .ini file does not include supervisord section" in answer.err
