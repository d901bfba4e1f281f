"""Scenarios E of compat/seeds.md: first steps with the sample file."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.daemon import Launch, alive, run
from support.implementations import Implementation
from support.programs import program
from support.rpc import ask, free_port
from support.waiting import until


def test_e1_the_sample_runs_as_printed(launch: Launch, either: Implementation) -> None:
    """echo_supervisord_conf > supervisord.conf; supervisord -c supervisord.conf"""
    sample = run([either.program("echo_supervisord_conf")])
    assert (sample.code, sample.err) == (0, "")
    for line in (
        "file=/tmp/supervisor.sock",
        "logfile=/tmp/supervisord.log",
        "pidfile=/tmp/supervisord.pid",
        "serverurl=unix:///tmp/supervisor.sock",
    ):
        assert any(one.startswith(line) for one in sample.lines), line
    daemon = launch(either, ready=False, command=["true"], arguments=())
    daemon.wait()
    text = sample.out.replace("/tmp/supervisord", f"{daemon.directory}/supervisord")
    text = text.replace("/tmp/supervisor.sock", str(daemon.socket))
    daemon.configure(whole=text)

    daemon.start(command=[either.program("supervisord"), "-c", "supervisord.conf"])
    assert daemon.wait() == 0
    assert daemon.ctl("status").out == ""
    assert daemon.ctl("shutdown").lines == ["Shut down"]


E2 = """\
[unix_http_server]          ; supervisord 的 unix socket 服务配置
file=%(here)s/s.sock        ; socket 文件的保存目录
[inet_http_server]         ; supervisord 的 tcp 服务配置
port=127.0.0.1:{port}        ; (ip_address:port specifier, *:port for all iface)
[supervisord]                ; supervisord 的主进程配置
logfile=%(here)s/supervisord.log
pidfile=%(here)s/supervisord.pid
nocleanup=true
childlogdir=%(here)s
strip_ansi=false
identifier={identifier}
umask=022
;user=chrism                 ; (default is current user, required if root)
[rpcinterface:supervisor]    ; 这里不要修改
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://%(here)s/s.sock
[program:x]
command=/bin/cat
autostart=false
;stderr_logfile_backups        ; # of stderr logfile backups (default 10)
"""


def test_e2_e6_e8_comments_after_headers(
    launch: Launch, either: Implementation, scratch: Path
) -> None:
    """Comments behind section headers, the web page, and the rarer options."""
    port = free_port()
    daemon = launch(either, whole=E2.format(port=port, identifier=scratch.name))
    assert ask(port).status == 200
    assert b"x" in ask(port).body
    assert daemon.call("supervisor.getIdentification") == scratch.name


def test_e9_a_line_without_a_value(either: Implementation, scratch: Path) -> None:
    """Once it is no comment any more, the line is an error that is named."""
    conf = scratch / "f.conf"
    text = E2.format(port=9001, identifier="x").replace(";stderr_logfile_b", "stderr_logfile_b")
    conf.write_text(text, encoding="utf-8")
    answer = run([either.program("supervisord"), "-n", "-c", str(conf)])
    assert answer.code == 2
    assert "Source contains parsing errors" in answer.err
    assert "stderr_logfile_backups" in answer.err


def test_e3_output_appears_when_the_program_flushes(launch: Launch, either: Implementation) -> None:
    """No terminal and no PYTHONUNBUFFERED is given to a program; without a flush its text comes at
    its end."""
    source = (
        "import os, sys, time\n"
        "print('tty' if sys.stdout.isatty() else 'pipe')\n"
        "print(os.environ.get('PYTHONUNBUFFERED', 'buffered'))\n"
        "os.write(2, b'written\\n')\nsys.stdin.readline()\n"
    )
    programs = program(
        "test_py",
        f"{sys.executable} %(here)s/test.py",
        autorestart="false",
        autostart="false",
        directory="%(here)s",
        stdout_logfile="%(here)s/out.log",
        stderr_logfile="%(here)s/err.log",
    )
    daemon = launch(either, programs)
    (daemon.directory / "test.py").write_text(source)
    assert daemon.ctl("start", "test_py").lines == ["test_py: started"]
    daemon.until_file("err.log", "written")
    assert daemon.file("out.log") == ""
    daemon.call("supervisor.sendProcessStdin", "test_py", "end\n")
    daemon.until_file("out.log", "pipe\nbuffered\n")


def test_e4_a_script_that_starts_a_program(launch: Launch, either: Implementation) -> None:
    """With stopasgroup and killasgroup, stop ends the script and what it started."""
    script = "#!/bin/sh\nsleep 300 &\necho $! > child.pid\nwait\n"
    programs = program(
        "spider",
        "/bin/sh run.sh",
        directory="%(here)s",
        autostart="false",
        stopasgroup="true",
        killasgroup="true",
    )
    daemon = launch(either, programs)
    (daemon.directory / "run.sh").write_text(script)
    daemon.ctl("start", "spider")
    child = int(daemon.until_file("child.pid", r"\d+"))
    assert daemon.ctl("stop", "spider").lines == ["spider: stopped"]
    until(lambda: not alive(child), "the grandchild has ended")


@pytest.mark.parametrize("value", ["A=1,B=2", 'A="1",B="2"'])
def test_e5_environment_with_and_without_quotes(
    launch: Launch, either: Implementation, value: str
) -> None:
    """Simple values need no quotes."""
    programs = program(
        "show",
        "/bin/sh -c 'echo $A $B $KEY'",
        environment=value + ",KEY=value",
        autorestart="false",
        stdout_logfile="%(here)s/show.log",
    )
    daemon = launch(either, programs)
    daemon.until_file("show.log", "^1 2 value$")


def test_e7_daily_commands(launch: Launch, either: Implementation) -> None:
    """status, stop, start, reload, shutdown; in the shell and from the command line."""
    daemon = launch(either, program("spider"))
    daemon.until_state("spider", "RUNNING")
    until(daemon.has_executed_all, "spider has been executed")
    assert daemon.ctl("status").out.startswith("spider                           RUNNING   pid ")
    assert daemon.ctl("stop", "spider").lines == ["spider: stopped"]
    assert daemon.ctl("start", "spider").lines == ["spider: started"]
    until(daemon.has_executed_all, "spider has been executed")
    typed = "stop spider\nstart spider\nstatus\nexit\n"
    shell = daemon.ctl(typed=typed).out
    assert "supervisor> spider: stopped\n" in shell
    assert "supervisor> spider: started\n" in shell
    assert daemon.ctl("reload").lines == ["Restarted supervisord"]
    daemon.until_logged("supervisord started with pid", times=2)
    daemon.until_state("spider", "RUNNING")
    assert daemon.ctl("shutdown").lines == ["Shut down"]
    assert daemon.wait() == 0
    assert not daemon.socket.exists()
    assert not daemon.pidfile.exists()
