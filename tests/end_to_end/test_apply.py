"""apply: exactly the planned processes are touched; the dry run is the run (scenario row 19)."""

from __future__ import annotations

import signal

from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.waiting import until

BEFORE = """
[program:one]
command=/bin/cat
startsecs=0
[program:two]
command=/bin/cat
startsecs=0
[group:g]
programs=one,two
[program:many]
command=/bin/cat
startsecs=0
numprocs=2
process_name=%(program_name)s_%(process_num)d
[program:logs]
command=/bin/cat
startsecs=0
[program:same]
command=/bin/cat
startsecs=0
"""

# Sections in another order, one member, one numprocs and one log option edited.
AFTER = """
[program:same]
command=/bin/cat
startsecs=0
[program:logs]
command=/bin/cat
startsecs=0
stdout_logfile_maxbytes=1MB
[program:many]
command=/bin/cat
startsecs=0
numprocs=3
process_name=%(program_name)s_%(process_num)d
[group:g]
programs=one,two
[program:two]
command=/bin/cat
startsecs=0
stopwaitsecs=7
[program:one]
command=/bin/cat
startsecs=0
"""
PLAN = [
    "g: changed; stops g:two; starts g:two",
    "logs: changed; stops logs; starts logs",
    "many: changed; starts many:many_2",
]


def test_only_what_the_dry_run_names_is_touched(launch: Launch, ours: Implementation) -> None:
    """The pids of all others stay."""
    daemon = launch(ours, BEFORE)
    before = until_all_run(daemon)
    daemon.configure(AFTER)
    planned = daemon.ctl("apply", "--dry-run")
    assert (planned.code, sorted(planned.lines)) == (0, PLAN)
    assert pids(daemon) == before
    assert daemon.ctl("apply").lines == [*planned.lines, "Applied"]
    after = until_all_run(daemon)
    touched = {name for name in after if after[name] != before.get(name)}
    assert touched == {"g:two", "logs:logs", "many:many_2"}
    assert daemon.ctl("apply").lines == ["Nothing differs"]


def test_a_hangup_may_apply(launch: Launch, ours: Implementation) -> None:
    """With hup=apply; mistakes are refused, and the main log says each with its place."""
    daemon = launch(ours, BEFORE, settings="hup=apply\nloglevel=info")
    before = until_all_run(daemon)
    daemon.configure(AFTER.replace("command=", "comand="))
    daemon.signal(signal.SIGHUP)
    mistake = (
        rf"ERRO cannot apply, everything goes on as it was: .*command.* \({daemon.conf}:\d+\)$"
    )
    daemon.until_logged(mistake, AFTER.count("command="))
    assert "\\n" not in daemon.log_text()
    assert pids(daemon) == before
    daemon.configure(AFTER)
    daemon.signal(signal.SIGHUP)
    daemon.until_logged("applied: many changed")
    after = until_all_run(daemon)
    assert after["same:same"] == before["same:same"]
    assert after["logs:logs"] != before["logs:logs"]


def until_all_run(daemon: Daemon) -> dict[str, int]:
    until(lambda: set(daemon.client.states().values()) == {"RUNNING"}, "all run")
    return pids(daemon)


def pids(daemon: Daemon) -> dict[str, int]:
    found = daemon.call("supervisor.getAllProcessInfo")
    return {f"{one['group']}:{one['name']}": one["pid"] for one in found}


def test_settings_of_the_main_log_change_while_it_is_written(
    launch: Launch, ours: Implementation
) -> None:
    """Its level and its rotation, without a restart."""
    daemon = launch(ours, settings="loglevel=critical")
    text = daemon.conf.read_text()
    edited = "loglevel=info\nlogfile_maxbytes=300\nlogfile_backups=1"
    daemon.conf.write_text(text.replace("loglevel=critical", edited))
    assert daemon.ctl("apply").lines == [
        "[supervisord] loglevel: critical -> info",
        "[supervisord] logfile_maxbytes: 52428800 -> 300",
        "[supervisord] logfile_backups: 10 -> 1",
        "Applied",
    ]

    def rotated() -> bool:
        daemon.signal(signal.SIGUSR2)
        return (daemon.directory / "supervisord.log.1").exists()

    until(rotated, "the main log is rotated at 300 bytes")
