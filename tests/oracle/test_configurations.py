"""Configuration files: what is refused and with which words, and how every option is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from oracle.compare import assert_same, side_by_side
from support.daemon import Launch, run
from support.implementations import Implementation

pytestmark = pytest.mark.oracle

# Name -> configuration.  `$` at the start stands for a usable [supervisord] section.
USABLE = "[supervisord]\nnodaemon=true\n"
REFUSED = {
    "no supervisord section": "[program:x]\ncommand=/bin/cat\n",
    "empty file": "",
    "text before a section": "hello=1\n[supervisord]\n",
    "line without =": "$[program:x]\ncommand=/bin/cat\nstderr_logfile_backups\n",
    "numprocs is a letter": "$[program:x]\ncommand=/bin/cat\nnumprocs=l\n",
    "no command": "$[program:x]\n",
    "autostart": "$[program:x]\ncommand=/bin/cat\nautostart=maybe\n",
    "autostart empty": "$[program:x]\ncommand=/bin/cat\nautostart=\n",
    "autorestart": "$[program:x]\ncommand=/bin/cat\nautorestart=**true**\n",
    "startsecs": "$[program:x]\ncommand=/bin/cat\nstartsecs=five\n",
    "priority": "$[program:x]\ncommand=/bin/cat\npriority=high\n",
    "exitcodes": "$[program:x]\ncommand=/bin/cat\nexitcodes=0,x\n",
    "exitcodes too big": "$[program:x]\ncommand=/bin/cat\nexitcodes=256\n",
    "stopsignal": "$[program:x]\ncommand=/bin/cat\nstopsignal=BOGUS\n",
    "stopsignal number": "$[program:x]\ncommand=/bin/cat\nstopsignal=999\n",
    "stop and kill as group": "$[program:x]\ncommand=/bin/cat\nstopasgroup=true\nkillasgroup=no\n",
    "umask": "$[program:x]\ncommand=/bin/cat\numask=999\n",
    "maxbytes": "$[program:x]\ncommand=/bin/cat\nstdout_logfile_maxbytes=5M\n",
    "user": "$[program:x]\ncommand=/bin/cat\nuser=no-such-user-here\n",
    "uid": "$[program:x]\ncommand=/bin/cat\nuser=4123456\n",
    "log directory": "$[program:x]\ncommand=/bin/cat\nstdout_logfile=/nonexistent/x.log\n",
    "name with colon": "$[program:a:b]\ncommand=/bin/cat\n",
    "name with slash": "$[program:a/b]\ncommand=/bin/cat\n",
    "name with blank": "$[program:a b]\ncommand=/bin/cat\n",
    "numprocs without number": "$[program:x]\ncommand=/bin/cat\nnumprocs=2\n",
    "unknown expansion": "$[program:x]\ncommand=/bin/cat %(bogus)s\n",
    "bad format": "$[program:x]\ncommand=/bin/cat 100%\n",
    "unknown environment": "$[program:x]\ncommand=/bin/cat %(ENV_NO_SUCH_VARIABLE)s\n",
    "environment": "$[program:x]\ncommand=/bin/cat\nenvironment=A\n",
    "environment quote": '$[program:x]\ncommand=/bin/cat\nenvironment=A="b\n',
    "group of unknown": "$[group:g]\nprograms=nope\n",
    "group with trailing comma": "$[program:x]\ncommand=/bin/cat\n[group:g]\nprograms=x,\n",
    "group priority": "$[program:x]\ncommand=/bin/cat\n[group:g]\nprograms=x\npriority=z\n",
    "listener without events": "$[eventlistener:x]\ncommand=/bin/cat\n",
    "listener with unknown event": "$[eventlistener:x]\ncommand=/bin/cat\nevents=BOGUS\n",
    "listener with small buffer": "$[eventlistener:x]\ncommand=/bin/cat\nevents=EVENT\n"
    "buffer_size=0\n",
    "listener redirects": "$[eventlistener:x]\ncommand=/bin/cat\nevents=EVENT\n"
    "redirect_stderr=true\n",
    "listener handler": "$[eventlistener:x]\ncommand=/bin/cat\nevents=EVENT\n"
    "result_handler=no.such:thing\n",
    "fcgi without socket": "$[fcgi-program:x]\ncommand=/bin/cat\n",
    "fcgi socket": "$[fcgi-program:x]\ncommand=/bin/cat\nsocket=bogus\n",
    "fcgi tcp with mode": "$[fcgi-program:x]\ncommand=/bin/cat\nsocket=tcp://127.0.0.1:9000\n"
    "socket_mode=0700\n",
    "fcgi backlog": "$[fcgi-program:x]\ncommand=/bin/cat\nsocket=unix:///tmp/x.sock\n"
    "socket_backlog=0\n",
    "include without files": "$[include]\n",
    "rpcinterface without factory": "$[rpcinterface:x]\n",
    "rpcinterface unknown": "$[rpcinterface:x]\nsupervisor.rpcinterface_factory=no.such:thing\n",
    "unix server without file": "$[unix_http_server]\n",
    "unix server chmod": "$[unix_http_server]\nfile=%(here)s/s.sock\nchmod=999\n",
    "unix server chown": "$[unix_http_server]\nfile=%(here)s/s.sock\nchown=no-such-user-here\n",
    "unix server half login": "$[unix_http_server]\nfile=%(here)s/s.sock\nusername=me\n",
    "inet server without port": "$[inet_http_server]\n",
    "inet server port": "$[inet_http_server]\nport=127.0.0.1:x\n",
    "inet server big port": "$[inet_http_server]\nport=127.0.0.1:65536\n",
    "loglevel": "[supervisord]\nnodaemon=true\nloglevel=loud\n",
    "logfile": "[supervisord]\nnodaemon=true\nlogfile=/nonexistent/x.log\n",
    "logfile_maxbytes": "[supervisord]\nnodaemon=true\nlogfile_maxbytes=1.5MB\n",
    "directory": "[supervisord]\nnodaemon=true\ndirectory=/nonexistent\n",
    "childlogdir": "[supervisord]\nnodaemon=true\nchildlogdir=/nonexistent\n",
    "nodaemon": "[supervisord]\nnodaemon=perhaps\n",
    "minfds": "[supervisord]\nnodaemon=true\nminfds=many\n",
    "daemon umask": "[supervisord]\nnodaemon=true\numask=xyz\n",
    "daemon user": "[supervisord]\nnodaemon=true\nuser=no-such-user-here\n",
    "joined lines": "[supervisord]\nnodaemon=true\nloglevel=info [program:crawler]\n",
    "swallowed section": "$[program:x]\ncommand=/bin/cat\nautostart=true\n  [program:y]\n",
}

ARGUMENTS = [
    "foo",
    "-x",
    "--bogus",
    "-c",
    "-n -n",
    "-e loud",
    "-m 999",
    "-y 1.5MB",
    "-z x",
    "-a x",
    "-u no-such-user-here",
    "-d /nonexistent",
    "-q /nonexistent",
    "-l /nonexistent/x",
    "-c /nonexistent.conf",
    "--configuration /nonexistent.conf",
    "--log /nonexistent/x",
    "--logfile_m",
    "-v",
    "--version",
]


def _refusal(which: Implementation, where: Path, words: list[str]) -> tuple[int, str]:
    answer = run([which.program("supervisord"), *words], cwd=where)
    said = answer.err.replace(str(where), "<dir>").splitlines()
    line = next((line for line in said if line.startswith(("Error:", "error:"))), "")
    return answer.code, line + answer.out


def test_bad_files_are_refused_in_the_same_words(
    original: Implementation, ours: Implementation, scratch: Path
) -> None:
    """Exit status 2 and the first line on stderr."""

    def try_all(number: int) -> dict[str, object]:
        which = (original, ours)[number]
        heard: dict[str, object] = {}
        for name, text in REFUSED.items():
            where = scratch / f"{number}" / name.replace(" ", "_").replace("=", "")
            where.mkdir(parents=True)
            (where / "f.conf").write_text(text.replace("$", USABLE, 1))
            heard[name] = _refusal(which, where, ["-n", "-c", str(where / "f.conf")])
        return heard

    assert_same("refused files", *side_by_side(try_all, 0, 1))


def test_bad_arguments_are_refused_in_the_same_words(
    original: Implementation, ours: Implementation, scratch: Path
) -> None:
    """Exit status 2 and the first line on stderr; also -v."""
    (scratch / "supervisord.conf").write_text("[supervisord]\nnodaemon=true\n")

    def try_all(which: Implementation) -> dict[str, object]:
        return {words: _refusal(which, scratch, words.split()) for words in ARGUMENTS}

    assert_same("refused arguments", *side_by_side(try_all, original, ours))


EVERYTHING = """\
[program:plain]
command=/bin/cat
autostart=false

[program:full] trailing words
command = /bin/sh -c 'exec cat' %(program_name)s %(process_num)02d %(group_name)s ; comment
process_name: %(program_name)s_%(process_num)d
numprocs=2
numprocs_start=7
directory=%(here)s
umask=022
priority=3
autostart=off
startsecs=5
startretries=7
autorestart=TRUE
exitcodes=0,2,255
stopsignal=sighup
stopwaitsecs=11
stopasgroup=yes
user=root
redirect_stderr=On
stdout_logfile=%(here)s/%(program_name)s-%(process_num)d-%(host_node_name)s.log
stdout_logfile_maxbytes=2 mb
stdout_logfile_backups=3
stdout_capture_maxbytes=1KB
stdout_events_enabled=1
stderr_capture_maxbytes=1GB
environment=A="b,c",D='%(ENV_HOME)s'
serverurl=unix:///tmp/elsewhere.sock

[program:none]
command=/bin/cat a\\ b "c d"
autostart=no
stdout_logfile=NONE
stderr_logfile=off
stopsignal=9
killasgroup=true
exitcodes=
autorestart=Unexpected
stdout_logfile_maxbytes=0
; a comment
# another one
startsecs=0

[program:none]
startretries=1

[program:syslogged]
command=/bin/cat
autostart=false
stdout_logfile=syslog
stderr_syslog=true

[program:m1]
command=/bin/cat
autostart=false
priority=9

[program:m2]
command=/bin/cat
autostart=false
priority=1

[group:both]
programs=m1, m2
priority=77

[eventlistener:ears]
command=/bin/cat
autostart=false
events=PROCESS_STATE,tick_5
buffer_size=50

[fcgi-program:web]
command=/bin/cat
autostart=false
socket=unix://%(here)s/%(program_name)s.sock
socket_mode=0600
socket_backlog=20

[unknown]
option=value

[include]
files = {parts}/*.conf
"""


def test_every_option_is_read_the_same(
    launch: Launch, original: Implementation, ours: Implementation, scratch: Path
) -> None:
    """getAllConfigInfo over a file that uses every option of a program."""
    (scratch / "b.conf").write_text("[program:later]\ncommand=/bin/cat %(here)s\nautostart=no\n")
    (scratch / "a.conf").write_text("[program:none]\nstartretries=9\n[program:later]\n")

    def read(which: Implementation) -> dict[str, object]:
        daemon = launch(which, EVERYTHING.replace("{parts}", str(scratch)))
        found: dict[str, object] = {}
        for info in daemon.call("supervisor.getAllConfigInfo"):
            for key, value in sorted(info.items()):
                shown = repr(value).replace(str(daemon.directory), "<dir>")
                shown = re.sub(r"---\w+-\w{8}\.log", "---<random>.log", shown)
                found[f"{info['group']}:{info['name']} {key}"] = shown
        return found

    expected, got = side_by_side(read, original, ours)
    # Ours has the key `autorestart` beside, as the original's next release.
    assert_same("options", expected, {key: got[key] for key in expected})
    assert {key.split()[-1] for key in set(got) - set(expected)} <= {"autorestart"}
