"""Scenarios B of compat/seeds.md: the sample file with comments, tornado servers, groups."""

from __future__ import annotations

import os
import pwd
import re
import sys
from pathlib import Path

import pytest

from support.daemon import Launch, run
from support.implementations import Implementation
from support.programs import path_with_python, program
from support.waiting import until

ME = pwd.getpwuid(os.geteuid()).pw_name

# The options of the sample file of 3.3.5 as the article has them, comments in Chinese.
COMMENTED = """\
[unix_http_server]
file=%(here)s/s.sock   ; UNIX socket 文件，supervisorctl 会使用
;chmod=0700                 ; socket文件的mode，默认是0700
;chown=nobody:nogroup       ; socket文件的owner，格式：uid:gid
;username=user              ; 默认不需要用户
;password=123               ; 默认不需要密码

;[inet_http_server]         ; HTTP服务器，提供web管理界面
;port=127.0.0.1:9001        ; Web管理后台运行的IP和端口，如果开放到公网，需要注意安全性
;username=user              ; 登录管理后台的用户名
;password=123               ; 登录管理后台的密码

[supervisord]                ; 守护进程 100% $CWD [x]: y
logfile=%(here)s/supervisord.log ;日志文件,默认是 $CWD/supervisord.log
logfile_maxbytes=50MB        ; 日志文件大小，超出会rotate，默认 50MB
logfile_backups=10           ; 日志文件保留备份数量默认10，设为0表示不备份
loglevel=info                ; 日志级别，默认info，其它: debug,warn,trace
pidfile=%(here)s/supervisord.pid ; pid 文件
nodaemon=false               ; 是否在前台启动，默认是false，即以 daemon 的方式启动
minfds=1024                  ; 可以打开的文件描述符的最小值，默认 1024
minprocs=200                 ; 可以打开的进程数的最小值，默认 200
;umask=022                   ; process file creation umask; default 022
;user=chrism                 ; default is current user, required if root
;identifier=supervisor       ; supervisord identifier, default is 'supervisor'
;directory=/tmp              ; default is not to cd during start
;nocleanup=true              ; don't clean up tempfiles at start; default false
;childlogdir=/tmp            ; 'AUTO' child log dir, default $TEMP
;environment=KEY="value"     ; key value pairs to add to environment
;strip_ansi=false            ; strip ansi escape codes in logs; def. false

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://%(here)s/s.sock ; 通过UNIX socket连接supervisord
;username=chris              ; should be same as in [*_http_server] if set
;prompt=mysupervisor         ; cmd line prompt (default "supervisor")
;history_file=~/.sc_history  ; use readline history if available

;[program:theprogramname]
;command=/bin/cat              ; the program (relative uses PATH, can take args)
;exitcodes=0,2                 ; 'expected' exit codes used with autorestart

[include]
files = %(here)s/relative/directory/*.ini    ;可以指定一个或多个以.ini结束的配置文件
"""


def test_b1_b2_b3_the_commented_sample(launch: Launch, either: Implementation) -> None:
    """Comments in any language and with any character are no trouble; an include that matches
    nothing is a warning."""
    daemon = launch(either, whole=COMMENTED)
    pattern = f"{daemon.directory}/relative/directory/*.ini"
    daemon.until_logged(re.escape(f'WARN No file matches via include "{pattern}"'))
    assert daemon.ctl("status").out == ""


TORNADO = """\
 [program:your_program_name]
 command=python server.py --port=9000
 ;numprocs=1                 ; 默认为1
 ;process_name=%(program_name)s   ; 默认为%(program_name)s，即[program:x]中的x
 directory=/x/tornado_server;执行command之前，先切换到工作目录
 user={user}                 ; 使用哪个用户来启动进程
 ; 程序崩溃时自动重启
 autorestart={true}
 redirect_stderr={true}        ; 重定向输出的日志
 stdout_logfile = {dir}/tornado_server.log
 startretries=1
 loglevel=info
"""


def test_b4_left_over_markup(either: Implementation, scratch: Path) -> None:
    """`**true**` is refused, with section and file."""
    part = scratch / "part.ini"
    text = TORNADO.format(true="**true**", user=ME, dir=scratch)
    part.write_text(text, encoding="utf-8")
    conf = scratch / "f.conf"
    conf.write_text("[supervisord]\nnodaemon=true\n[include]\nfiles=*.ini\n")
    answer = run([either.program("supervisord"), "-c", str(conf)])
    assert answer.code == 2
    expected = "invalid 'autorestart' value '**true**' in section 'program:your_program_name'"
    assert f"Error: {expected} (file: '{part}')" in answer.err


def test_b5_a_comment_stuck_to_a_directory(
    launch: Launch, either: Implementation, scratch: Path
) -> None:
    """The file parses; each start fails in the child, and says why in the log."""
    text = TORNADO.format(true="true", user=ME, dir=scratch)
    (scratch / "part.ini").write_text(text, encoding="utf-8")
    include = f"[include]\nfiles={scratch}/*.ini\n"
    daemon = launch(either, include, environment=path_with_python())
    daemon.until_state("your_program_name", "FATAL")
    logged = (scratch / "tornado_server.log").read_text(encoding="utf-8")
    assert "supervisor: couldn't chdir to /x/tornado_server;执行command之前" in logged
    assert "ENOENT\nsupervisor: child process was not spawned\n" in logged
    status = daemon.ctl("status")
    assert status.code == 3
    assert "Exited too quickly (process log may have details)" in status.out
    if either.is_ours:
        assert "comment" in daemon.log_text()


FOO = """\
 [program:foo]
 command={python} %(here)s/server.py --port=90%(process_num)02d
 numprocs=2                     ; 默认为1
 process_name=%(program_name)s_%(process_num)02d;
 startsecs=0
 autorestart=true
 redirect_stderr=true
 stdout_logfile=%(here)s/server.log
"""
SERVER = "import sys\nprint(sys.argv[1], flush=True)\nsys.stdin.read()\n"


def test_b6_b7_names_that_end_in_a_semicolon(
    launch: Launch, either: Implementation, scratch: Path
) -> None:
    """The `;` is part of the names, the first number is 0, and both write one file."""
    part = scratch / "foo.ini"
    part.write_text(FOO.format(python="/bin/sh -c 'exec cat' x"), encoding="utf-8")
    daemon = launch(either, f"[include]\nfiles={scratch}/*.ini\n")
    assert list(daemon.client.states()) == ["foo:foo_00;", "foo:foo_01;"]
    daemon.until_state("foo:foo_00;", "RUNNING")

    assert daemon.ctl("stop", "foo:foo_00;").lines == ["foo:foo_00;: stopped"]

    (scratch / "server.py").write_text(SERVER)
    part.write_text(FOO.format(python=sys.executable), encoding="utf-8")
    assert "foo: updated process group" in daemon.ctl("update").lines
    wanted = {"--port=9000", "--port=9001"}
    until(lambda: set((scratch / "server.log").read_text().split()) == wanted, "both have written")


GROUPED = (
    program("progname1")
    + program("progname2")
    + "[group:thegroupname]\n"
    + "programs=progname1,progname2  ;each refers to 'x' in [program:x] definitions\n"
    + "priority=999                  ;the relative start priority (default 999)\n\n"
    + program("program_name")
    + program("idle", autostart="false")
)


def test_b8_b9_b10_groups_and_their_commands(launch: Launch, either: Implementation) -> None:
    """`group:` is the whole group; its programs have no groups of their own."""
    daemon = launch(either, GROUPED)
    names = ["thegroupname:progname1", "thegroupname:progname2"]
    for name in [*names, "program_name"]:
        daemon.until_state(name, "RUNNING")
    assert {"progname1:progname1", "progname2:progname2"}.isdisjoint(daemon.client.states())

    assert sorted(daemon.ctl("stop", "thegroupname:").lines) == [f"{one}: stopped" for one in names]
    again = daemon.ctl("stop", names[0])
    assert (again.code, again.lines) == (0, [f"{names[0]}: ERROR (not running)"])

    assert daemon.ctl("stop", "program_name").lines == ["program_name: stopped"]
    assert daemon.ctl("start", "program_name").lines == ["program_name: started"]
    restarted = ["program_name: stopped", "program_name: started"]
    assert daemon.ctl("restart", "program_name").lines == restarted
    assert daemon.ctl("stop", "all").lines == ["program_name: stopped"]
    assert daemon.ctl("update").lines == []
    assert daemon.ctl("status").code == 3


def test_b12_stopped_by_hand(launch: Launch, either: Implementation) -> None:
    """update leaves a stopped program alone; reload starts everything with autostart."""
    daemon = launch(either, GROUPED)
    daemon.until_state("program_name", "RUNNING")
    pid = daemon.pid
    daemon.ctl("stop", "program_name")

    daemon.configure(GROUPED + program("another"))
    assert daemon.ctl("update").lines == ["another: added process group"]
    assert daemon.client.state("program_name") == "STOPPED"

    assert daemon.ctl("reload").lines == ["Restarted supervisord"]
    daemon.until_logged("supervisord started with pid", times=2)
    daemon.until_state("program_name", "RUNNING")
    assert daemon.client.state("idle") == "STOPPED"
    assert daemon.pid == pid


@pytest.mark.parametrize("words", [[], ["-c", "supervisord.conf"], ["-u" + ME]])
def test_b11_ways_to_start(launch: Launch, either: Implementation, words: list[str]) -> None:
    """With and without -c, with an option and its value joined; it goes into the background."""
    daemon = launch(either, whole=COMMENTED, ready=False, command=["true"], arguments=())
    daemon.wait()
    daemon.start(command=[either.program("supervisord"), *words])
    assert daemon.wait() == 0
    assert daemon.ctl("pid").out == f"{daemon.pidfile.read_text().strip()}\n"


EVENTS = """PROCESS_STATE PROCESS_STATE_STARTING PROCESS_STATE_RUNNING PROCESS_STATE_BACKOFF
PROCESS_STATE_STOPPING PROCESS_STATE_EXITED PROCESS_STATE_STOPPED PROCESS_STATE_FATAL
PROCESS_STATE_UNKNOWN REMOTE_COMMUNICATION PROCESS_LOG PROCESS_LOG_STDOUT PROCESS_LOG_STDERR
PROCESS_COMMUNICATION PROCESS_COMMUNICATION_STDOUT PROCESS_COMMUNICATION_STDERR
SUPERVISOR_STATE_CHANGE SUPERVISOR_STATE_CHANGE_RUNNING SUPERVISOR_STATE_CHANGE_STOPPING TICK
TICK_5 TICK_60 TICK_3600 PROCESS_GROUP PROCESS_GROUP_ADDED PROCESS_GROUP_REMOVED EVENT"""


def test_b14_b15_everything_the_article_names(launch: Launch, either: Implementation) -> None:
    """All event names, and the commented options once they are no comments any more."""
    options = (
        "stopasgroup=false            ;默认为false\nkillasgroup=false  ;向进程组发送kill信号\n"
        'exitcodes=0,2\nenvironment=A="1",B="2"\nstdout_capture_maxbytes=1MB\nserverurl=AUTO\n'
        "autostart=false\n"
    )
    text = COMMENTED.replace(';environment=KEY="value"', 'environment=KEY="value"')
    for one in (";prompt=", ";history_file=", ";strip_ansi=", ";umask=", ";nocleanup="):
        text = text.replace(one, one[1:])
    text = text.replace("[include]", "[program:x]\ncommand=/bin/cat\n" + options + "[include]")
    events = ",".join(EVENTS.split())
    text = f"[eventlistener:y]\ncommand=/bin/cat\nautostart=false\nevents={events}\n" + text
    daemon = launch(either, whole=text)
    assert set(daemon.client.states()) == {"x:x", "y:y"}
    assert "mysupervisor> " in daemon.ctl(typed="quit\n", env={"HOME": str(daemon.directory)}).out
