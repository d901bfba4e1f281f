"""A long conversation through supervisorctl: outputs and exit codes, of every command.

Four times: each supervisorctl on each daemon.  `~` before a step: the order of its lines is not
defined; `!`: only the first line counts (a help text in own words follows).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from oracle.compare import assert_same, plain, side_by_side
from support.daemon import Daemon, Launch, run
from support.implementations import Implementation
from support.waiting import until

pytestmark = pytest.mark.oracle

PROGRAMS = """\
[program:cat]
command=/bin/cat
startsecs=0

[program:idle]
command=/bin/cat
startsecs=0
autostart=false

[program:missing]
command=/nonexistent/program
autostart=false
startretries=0

[program:plain]
command=%(here)s/supervisord.conf
autostart=false
startretries=0

[program:folder]
command=%(here)s
autostart=false
startretries=0

[program:unclosed]
command=/bin/sh -c "exit 0
autostart=false
startretries=0

[program:empty]
command=
autostart=false
startretries=0

[program:quick]
command=/bin/sh -c "echo went; exit 3"
autostart=false
startsecs=100
startretries=0

[program:done]
command=/bin/sh -c "echo one; echo two; echo oops >&2; exit 0"
startsecs=0
autorestart=false
priority=5

[program:many]
command=/bin/cat
startsecs=0
numprocs=2
process_name=%(program_name)s_%(process_num)02d

[program:quiet]
command=/bin/cat
startsecs=0
stdout_logfile=NONE
stderr_logfile=NONE

[program:p1]
command=/bin/cat
startsecs=0
priority=2

[program:p2]
command=/bin/cat
startsecs=0
priority=1

[group:g]
programs=p1,p2
priority=50

[group:bad]
programs=missing,plain,folder,unclosed,empty,quick
"""

STEPS = """\
status
status cat
status idle
status nope
status g:*
status g:
status nope:*
status g:nope
status idle cat
status cat nope
status all
version
pid
pid cat
pid cat idle
pid idle
pid nope
pid all
!start
start nope
start nope:*
start g:nope
start idle
start idle
start cat nope idle
start bad:missing
start bad:plain
start bad:folder
start bad:unclosed
start bad:empty
start bad:quick
status bad:*
status bad:quick
start g:*
!stop
stop nope
stop nope:*
stop idle
stop idle
stop idle cat
start cat
~stop g:*
stop g:p1
~start g:
!restart
restart cat
restart idle
restart nope
~restart g:*
stop many:many_00
~stop many:
~start many:*
!signal
!signal HUP
signal BOGUS cat
signal CONT cat
signal CONT bad:missing
signal CONT nope
signal CONT nope:*
~signal CONT g:*
signal 18 cat
signal 0 cat
signal SIGCONT cat idle
!tail
!tail a b c d
tail nope
tail quiet
tail bad:quick
tail -3 bad:quick
tail bad:quick stdout
tail bad:quick stderr
!tail bad:quick sideways
!tail +3 bad:quick
!tail -x bad:quick
!tail -3
!maintail x
!maintail a b
!maintail -0 x
!clear
clear cat
clear nope
clear cat done
clear quiet
~clear all
avail
reread
update
update all
update nope
add cat
add nope
remove cat
remove nope
remove bad
status
avail
add bad
!avail x
!reload x
!reread x
!shutdown x
!version x
bogus
bogus words
help bogus
open ftp://x
!open
!fg
!fg a b
fg nope
fg bad:missing
~stop all
status
start cat
~start all
status cat g:*
shutdown
status
start cat
stop cat
pid
version
tail cat
shutdown
reread
update
add cat
""".splitlines()


# A program that ends at once may be over before the original has looked whether it started.
LUCK = {"done: ERROR (abnormal termination)": "done: started"}


def _settle(daemon: Daemon) -> None:
    busy = {"STARTING", "STOPPING", "BACKOFF"}

    def settled() -> bool:
        states = daemon.client.states()
        return (
            not busy & set(states.values())
            and states["done:done"] == "EXITED"
            and daemon.has_executed_all()
        )

    until(settled, lambda: f"settled: {daemon.client.states()}")


def _converse(daemon: Daemon, by: Implementation) -> dict[str, tuple[int, list[str]]]:
    heard = {}
    abroad = by.is_ours != daemon.implementation.is_ours
    ended = False
    for number, step in enumerate(STEPS):
        mark, words = (step[0], step[1:]) if step[0] in "~!" else ("", step)
        if abroad and mark == "!":
            continue  # a client refuses wrong words by itself, whatever the daemon
        if not ended:
            _settle(daemon)
        answer = daemon.ctl(*words.split(), by=by)
        lines = plain(answer.out, daemon.directory).split("\n")
        lines = [LUCK.get(line, line) for line in lines]
        if mark == "~":
            lines.sort()
        if mark == "!":
            lines = lines[:1]
        heard[f"{number} {words}" + " (dead)" * ended] = (answer.code, lines)
        if words == "shutdown" and not ended:
            daemon.wait()
            ended = True
    return heard


def test_every_command_answers_the_same(
    launch: Launch, original: Implementation, ours: Implementation
) -> None:
    """All four pairings of client and daemon."""
    pairs = [(original, original), (ours, ours), (original, ours), (ours, original)]
    daemons = [launch(where, PROGRAMS) for _by, where in pairs]

    def talk(number: int) -> dict[str, tuple[int, list[str]]]:
        return _converse(daemons[number], pairs[number][0])

    expected, our_own, theirs_on_ours, ours_on_theirs = side_by_side(talk, 0, 1, 2, 3)

    assert_same("commands", expected, our_own)
    asked = {step: expected[step] for step in theirs_on_ours}
    assert_same("commands, original client", asked, theirs_on_ours)
    assert_same("commands, original daemon", asked, ours_on_theirs)


def test_the_shell_answers_the_same(
    launch: Launch, original: Implementation, ours: Implementation
) -> None:
    """Prompt, status table at the start, end of input, and questions before a shutdown."""
    typed = [
        "",
        "status cat\n\nstop cat\nstart cat\nquit\n",
        "bogus\nexit\n",
        "shutdown\nn\n",
        "pid nope\nstatus idle\n",
    ]
    daemons = {str(one): launch(one, PROGRAMS) for one in (original, ours)}

    def talk(which: Implementation) -> dict[str, tuple[int, str]]:
        daemon = daemons[str(which)]
        _settle(daemon)
        answers = {text: daemon.ctl(typed=text) for text in typed}
        return {
            text: (answer.code, plain(answer.out, daemon.directory))
            for text, answer in answers.items()
        }

    expected, got = side_by_side(talk, original, ours)
    assert_same("shell", expected, got)


def test_options_of_supervisorctl(
    launch: Launch, original: Implementation, ours: Implementation, scratch: Path
) -> None:
    """-s, -u, -p, -c, -i and mistakes in them."""
    (scratch / "empty.conf").write_text("[supervisord]\n")
    steps = [
        "-s unix://{dir}/s.sock status idle",
        "--serverurl=unix://{dir}/s.sock status idle",
        "-s nonsense status",
        "-s ftp://x status",
        "-s http://127.0.0.1:1 status",
        "-s unix:///nonexistent/s.sock status",
        "-s unix:///nonexistent/s.sock start cat",
        "-s http://127.0.0.1:1 start cat",
        "-c {dir}/supervisord.conf -u a -p b status idle",
        "-c /nonexistent.conf status",
        "-c {scratch}/empty.conf status",
        "--bogus status",
        "-c",
        "-i -c {dir}/supervisord.conf status idle",
    ]
    daemons = {str(one): launch(one, PROGRAMS) for one in (original, ours)}

    def talk(which: Implementation) -> dict[str, object]:
        daemon = daemons[str(which)]
        _settle(daemon)
        heard: dict[str, object] = {}
        for step in steps:
            words = step.format(dir=daemon.directory, scratch=scratch).split()
            answer = run([which.program("supervisorctl"), *words], cwd=scratch)
            out = plain(answer.out, daemon.directory).replace(str(scratch), "<scratch>")
            err = plain(answer.err, daemon.directory).replace(str(scratch), "<scratch>")
            err = err.replace(which.program("supervisorctl"), "supervisorctl")
            # Ours adds lines with the place and a hint between the first and the last.
            told = [err.split("\n")[0], err.rstrip("\n").split("\n")[-1]]
            heard[step] = (answer.code, out.split(": file:")[0], told)
        return heard

    expected, got = side_by_side(talk, original, ours)
    assert_same("options of supervisorctl", expected, got)
