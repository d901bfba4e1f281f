"""Scenarios C of compat/seeds.md: tomcat, redis, a container."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from support.daemon import Launch, run
from support.implementations import Implementation

ME = pwd.getpwuid(os.geteuid()).pw_name

C1 = """\
[unix_http_server]
file=%(here)s/s.sock   ; (the path to the socket file)

[supervisord]
logfile=%(here)s/supervisord.log ; (main log file;default $CWD/supervisord.log)
logfile_maxbytes=50MB        ; (max main logfile bytes b4 rotation;default 50MB)
logfile_backups=10           ; (num of main logfile rotation backups;default 10)
loglevel=info                ; (log level;default info; others: debug,warn,trace)
pidfile=%(here)s/supervisord.pid ; (supervisord pidfile;default supervisord.pid)
nodaemon=false               ; (start in foreground if true;default false)
minfds=1024                  ; (min. avail startup file descriptors;default 1024)
minprocs=200                 ; (min. avail process descriptors;default 200)

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://%(here)s/s.sock ; use a unix:// URL  for a unix socket


[include]
files = %(here)s/parts/*.conf
"""

C3 = """\
[program:xx]是被管理的进程配置参数，xx是进程的名称
[program:xx]
command=/bin/sh -c 'exec cat' run  ; 程序启动命令
autostart=true       ; 在supervisord启动的时候也自动启动
startsecs=10         ; 启动10秒后没有异常退出，就表示进程正常启动了，默认为1秒
autorestart=true     ; 程序退出后自动重启,可选值：[unexpected,true,false]，默认为unexpected
startretries=3       ; 启动失败自动重试次数，默认是3
user={user}          ; 用哪个用户启动进程，默认是root
priority=999         ; 进程启动优先级，默认999，值小的优先启动
redirect_stderr=true ; 把stderr重定向到stdout，默认false
stdout_logfile_maxbytes=20MB  ; stdout 日志文件大小，默认50MB
stdout_logfile_backups = 20   ; stdout 日志文件备份数，默认是10
; stdout 日志文件，需要注意当指定目录不存在时无法正常启动，所以需要手动创建目录
stdout_logfile=%(here)s/catalina.out
stopasgroup=false     ;默认为false,进程被杀死时，是否向这个进程组发送stop信号
killasgroup=false     ;默认为false，向进程组发送kill信号，包括子进程
"""


def test_c1_c2_c3_a_file_and_its_part(
    launch: Launch, either: Implementation, scratch: Path
) -> None:
    """It daemonizes; text after a header is ignored, the sections merge, all values are clean."""
    parts = scratch / "parts"
    parts.mkdir()
    (parts / "xx.conf").write_text(C3.format(user=ME), encoding="utf-8")
    daemon = launch(
        either, whole=C1.replace("%(here)s/parts", str(parts)), ready=True, arguments=()
    )
    assert daemon.wait() == 0
    daemon.until_state("xx", "STARTING", "RUNNING")
    [info] = daemon.call("supervisor.getAllConfigInfo")
    expected = {
        "command": "/bin/sh -c 'exec cat' run",
        "startsecs": 10,
        "startretries": 3,
        "stdout_logfile": str(parts / "catalina.out"),
        "stdout_logfile_maxbytes": 20 * 1024 * 1024,
        "stdout_logfile_backups": 20,
        "redirect_stderr": True,
        "killasgroup": False,
        "process_prio": 999,
    }
    assert {key: info[key] for key in expected} == expected


REDIS = """\
[program:redis_{port}]
command=/bin/sh -c 'echo out; echo err >&2; exec cat'
process_name=%(program_name)s
numprocs={numprocs}
directory=/tmp
umask=022
priority=999
autostart=true
autorestart=true
startsecs=0
stdout_logfile=%(here)s/%(program_name)s.log
stderr_logfile=%(here)s/%(program_name)s.log
"""


def test_c4_a_letter_for_a_number(either: Implementation, scratch: Path) -> None:
    """numprocs=l is refused."""
    conf = scratch / "f.conf"
    text = "".join(REDIS.format(port=port, numprocs="l") for port in range(6376, 6380))
    conf.write_text("[supervisord]\nnodaemon=true\n" + text)
    answer = run([either.program("supervisord"), "-c", str(conf)])
    assert answer.code == 2
    expected = "invalid literal for int() with base 10: 'l' in section 'program:redis_6376'"
    assert f"Error: {expected} (file: '{conf}')" in answer.err


def test_c5_two_streams_in_one_file(launch: Launch, either: Implementation) -> None:
    """Both are appended to the same file."""
    text = "".join(REDIS.format(port=port, numprocs=1) for port in range(6376, 6380))
    daemon = launch(either, text)
    for port in range(6376, 6380):
        daemon.until_file(f"redis_{port}.log", "^err$")
        daemon.until_file(f"redis_{port}.log", "^out$")
        assert daemon.client.state(f"redis_{port}") == "RUNNING"


CONTAINER = """\
[program:sshd]
command=/bin/cat
startsecs=0

[program:nginx]
command=/bin/sh -c 'echo "$2"; echo oops >&2; exec cat' nginx -g "daemon off;"
priority=900
stdout_logfile=/dev/stdout
stdout_logfile_maxbytes=0
stderr_logfile=/dev/stderr
stderr_logfile_maxbytes=0
autorestart=true
startsecs=0
"""


def test_c6_c7_in_a_container(launch: Launch, either: Implementation, scratch: Path) -> None:
    """The `;` inside the quotes is no comment, nginx starts first and its output is ours; alone,
    the file is refused."""
    part = scratch / "part.conf"
    part.write_text(CONTAINER)
    alone = run([either.program("supervisord"), "-n", "-c", str(part)])
    assert alone.code == 2
    assert "does not include supervisord section" in alone.err

    daemon = launch(either, f"[include]\nfiles={part}\n")
    daemon.until_state("sshd", "RUNNING")
    daemon.until_file("console", "daemon off;$")
    daemon.until_file("console", "^oops$")
    daemon.until_logged("spawned: 'sshd'")
    log = daemon.log_text()
    assert log.index("spawned: 'nginx'") < log.index("spawned: 'sshd'")


def test_c8_the_prompt(launch: Launch, either: Implementation) -> None:
    """The shell begins with the status table, then prompts."""
    daemon = launch(either, "[program:cat]\ncommand=/bin/cat\nautostart=false\n")
    answer = daemon.ctl(typed="")
    assert answer.code == 0
    assert answer.out == "cat                              STOPPED   Not started\nsupervisor> \n"
