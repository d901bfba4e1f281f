"""`update` of a group stops only what is different in it (scenario row 19, finer than groups)."""

from __future__ import annotations

from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.waiting import until

GROUP = """
[program:one]
command=/bin/cat
startsecs=0
[program:two]
command=/bin/cat
startsecs=0
[program:resting]
command=/bin/cat
[program:many]
command=/bin/cat
startsecs=0
numprocs=3
process_name=%(program_name)s_%(process_num)d
[group:g]
programs=one,two,resting
"""


def test_only_the_member_that_was_edited_is_restarted(launch: Launch, ours: Implementation) -> None:
    """The pids of the others stay, and what was stopped by hand stays stopped."""
    daemon = launch(ours, GROUP)
    until(lambda: set(daemon.client.states().values()) == {"RUNNING"}, "all run")
    daemon.ctl("stop g:resting")
    before = pids(daemon)
    daemon.configure(GROUP.replace("[program:two]", "[program:two]\nstopwaitsecs=7"))
    assert daemon.ctl("update").lines == ["g: stopped", "g: updated process group"]
    until(lambda: daemon.client.states()["g:two"] == "RUNNING", "two runs again")
    after = pids(daemon)
    assert {name for name in before if before[name] != after[name]} == {"g:two"}
    assert daemon.client.states()["g:resting"] == "STOPPED"


def test_fewer_and_more_processes_of_one_program(launch: Launch, ours: Implementation) -> None:
    """numprocs 3 -> 2 -> 4 ends one, then starts two; nobody else notices."""
    daemon = launch(ours, GROUP)
    until(lambda: set(daemon.client.states().values()) == {"RUNNING"}, "all run")
    before = pids(daemon)
    daemon.configure(GROUP.replace("numprocs=3", "numprocs=2"))
    assert daemon.ctl("update").code == 0
    fewer = pids(daemon)
    assert fewer == {name: pid for name, pid in before.items() if name != "many:many_2"}
    daemon.configure(GROUP.replace("numprocs=3", "numprocs=4"))
    assert daemon.ctl("update").code == 0
    until(lambda: set(daemon.client.states().values()) == {"RUNNING"}, "all run again")
    more = pids(daemon)
    assert {name: more[name] for name in fewer} == fewer
    assert sorted(more.keys() - fewer.keys()) == ["many:many_2", "many:many_3"]


def pids(daemon: Daemon) -> dict[str, int]:
    """Every process and its pid."""
    found = daemon.call("supervisor.getAllProcessInfo")
    return {f"{one['group']}:{one['name']}": one["pid"] for one in found}
