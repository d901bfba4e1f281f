"""Plug-ins in a real daemon and a real supervisorctl."""

from __future__ import annotations

import pytest

from proctor.core.states import ProcessState
from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.programs import program

PLUGIN = '''\
import time
from supervisor.http import NOT_DONE_YET
from supervisor.supervisorctl import ControllerPluginBase
from supervisor.xmlrpc import Faults, RPCError

class Interface:
    def __init__(self, supervisord, options):
        self.supervisord = supervisord
        self.extra = options
        self.calls = 0

    def seen(self):
        """What the facade shows.

        @return struct seen
        """
        s = self.supervisord
        group = s.process_groups["cat"]
        process = group.processes["cat"]
        return {
            "extra": self.extra,
            "identifier": s.options.identifier,
            "mood": s.options.mood,
            "pid": s.options.get_pid(),
            "configfile": s.options.configfile,
            "url": s.options.serverurl,
            "file": s.options.server_configs[0]["file"],
            "groups": sorted(g.name for g in s.options.process_group_configs),
            "state": process.state,
            "child": process.pid,
            "command": process.config.command,
            "startsecs": process.config.startsecs,
            "recent": 0 <= time.time() - process.laststart < 3600,
            "changes": [len(part) for part in s.diff_to_active()],
        }

    def later(self):
        self.calls = 0
        def answer():
            self.calls += 1
            return self.calls if self.calls > 2 else NOT_DONE_YET
        answer.delay = 0.01
        return answer

    def refuse(self, text):
        raise RPCError(Faults.FAILED, text)

    def stop_cat(self):
        self.supervisord.process_groups["cat"].processes["cat"].stop()
        return True

    def _hidden(self):
        return True


def make_interface(supervisord, **options):
    return Interface(supervisord, options)


class Commands(ControllerPluginBase):
    def __init__(self, controller, greeting="none"):
        ControllerPluginBase.__init__(self, controller)
        self.greeting = greeting

    def do_greet(self, arg):
        if self.ctl.upcheck():
            state = self.ctl.get_supervisor().getState()["statename"]
            self.ctl.output(f"{self.greeting} {arg} {state}")

    def help_greet(self):
        self.ctl.output("greet <name>    says hello")


def make_commands(controller, **options):
    return Commands(controller, **options)
'''

SECTIONS = """\
[rpcinterface:extra]
supervisor.rpcinterface_factory = house_plugin:make_interface
colour = blue

[ctlplugin:house]
supervisor.ctl_factory = house_plugin:make_commands
greeting = hello

"""


@pytest.fixture
def daemon(launch: Launch, ours: Implementation) -> Daemon:
    """A daemon with a plug-in for itself and one for supervisorctl."""
    started = launch(ours, ready=False, command=["true"], arguments=())
    started.wait()
    (started.directory / "house_plugin.py").write_text(PLUGIN)
    started.configure(SECTIONS + program("cat"))
    started.environment["PYTHONPATH"] = str(started.directory)
    started.arguments = ("-n",)
    started.start()
    started.until_state("cat", "RUNNING")
    return started


def test_an_rpcinterface_sees_the_daemon(daemon: Daemon) -> None:
    """The facade shows what plug-ins ask for; private methods are not remote."""
    seen = daemon.call("extra.seen")
    assert seen == {
        "extra": {"colour": "blue"},
        "identifier": daemon.identifier,
        "mood": 1,
        "pid": daemon.pid,
        "configfile": str(daemon.conf),
        "url": f"unix://{daemon.socket}",
        "file": str(daemon.socket),
        "groups": ["cat"],
        "state": ProcessState.RUNNING,
        "child": daemon.client.pid("cat"),
        "command": "/bin/cat",
        "startsecs": 0,
        "recent": True,
        "changes": [0, 0, 0],
    }
    assert daemon.client.outcome("extra._hidden") == (1, "UNKNOWN_METHOD")
    assert "extra.seen" in daemon.call("system.listMethods")


def test_deferred_answers_faults_and_control(daemon: Daemon) -> None:
    """NOT_DONE_YET, RPCError, and stopping a process through the facade."""
    assert daemon.call("extra.later") == 3
    assert daemon.client.outcome("extra.refuse", "why") == (30, "FAILED: why")
    assert daemon.client.outcome("extra.refuse") == (2, "INCORRECT_PARAMETERS")
    assert daemon.call("extra.stop_cat") is True
    daemon.until_state("cat", "STOPPED")


def test_a_ctl_plugin_adds_commands(daemon: Daemon) -> None:
    """With its options, its help, and the controller to talk through."""
    environment = {"PYTHONPATH": str(daemon.directory)}
    answer = daemon.ctl("greet", "you", env=environment)
    assert (answer.code, answer.out) == (0, "hello you RUNNING\n")
    assert "greet <name>    says hello" in daemon.ctl("help", "greet", env=environment).out
    assert "house commands" in daemon.ctl("help", env=environment).out
