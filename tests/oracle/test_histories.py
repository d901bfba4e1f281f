"""Random histories of processes that do as they are told, lived through on both daemons.

Each history has a program with random options and a series of commands, exits and signals.  After
each step both must have come to rest in the same state, with the same exit status and error, and
their main logs must tell the same story.  The choices follow from the seed of the run and from
what was seen, so that equal behaviour leads to equal histories.
"""

from __future__ import annotations

import os
import random
import re
from dataclasses import dataclass, field
from functools import partial

import pytest

from oracle.compare import assert_same, side_by_side
from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.programs import OBEDIENT, program
from support.waiting import until

pytestmark = pytest.mark.oracle

HISTORIES = 30
STEPS = 10
NEVER = 10_000  # seconds


@dataclass
class History:
    """One process, its options, and what happened to it."""

    name: str
    seed: int
    told: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        choose = random.Random(self.seed).choice
        self.options = {
            "autostart": choose(["true", "false"]),
            "startsecs": choose([0, 0, NEVER]),
            "startretries": choose([0, 1]),
            "autorestart": choose(["true", "false", "unexpected"]),
            "exitcodes": choose(["0", "0,2", "3"]),
            "stopsignal": choose(["TERM", "INT", "USR1", "KILL"]),
            "stopwaitsecs": 1,
            "killasgroup": choose(["true", "false"]),
            "stdout_logfile": f"%(here)s/{self.name}.out",
        }

    def section(self) -> str:
        """Its part of the configuration."""
        return program(self.name, OBEDIENT, **self.options)

    def is_at_rest(self, info: dict[str, object]) -> bool:
        """Whether nothing more will happen by itself."""
        match info["statename"]:
            case "STARTING":
                return self.options["startsecs"] == NEVER
            case "BACKOFF" | "STOPPING":
                return False
            case "EXITED":
                codes = str(self.options["exitcodes"]).split(",")
                expected = str(info["exitstatus"]) in codes
                again = {"true": True, "false": False, "unexpected": not expected}
                return not again[str(self.options["autorestart"])]
            case "STOPPED":
                return self.options["autostart"] == "false" or bool(info["start"])
            case _:
                return True


def _rest(daemon: Daemon, history: History) -> dict[str, object]:
    """Wait until a process has come to rest, and its program has been executed."""

    def at_rest() -> dict[str, object]:
        info: dict[str, object] = daemon.call("supervisor.getProcessInfo", history.name)
        settled = history.is_at_rest(info)
        if info["statename"] in ("STARTING", "RUNNING"):
            settled = settled and bool(info["pid"])  # ours is STARTING before there is a child
        if settled and info["pid"]:
            # A signal between fork and exec is lost on the original.
            settled = "python" not in os.readlink(f"/proc/{info['pid']}/exe")
        return info if settled else {}

    return until(at_rest, lambda: f"{history} at rest: {daemon.log_text()[-2000:]}")


def _is_other(daemon: Daemon, name: str, pid: object) -> bool:
    return daemon.client.pid(name) != pid


def _live(daemon: Daemon, history: History) -> list[object]:
    """Live through one history; what was seen."""
    chance = random.Random(history.seed + 1)
    ignoring = False
    info = _rest(daemon, history)
    retried = 0
    for number in range(STEPS):
        state = str(info["statename"])
        told: object = None
        ends = False
        chances = ["start", "stop", "signal", "exit 0", "exit 2", "exit 3", "kill -9 $$", "trap"]
        if state not in ("RUNNING", "STARTING"):
            chances = ["start", "start", "start", "stop", "signal", "stdin"]
        elif retried:
            # The original forgets to give a process all its tries again when it is stopped while a
            # retry runs (G28).
            chances.remove("stop")
        act = chance.choice(chances)
        if act == "start":
            told = daemon.client.outcome("supervisor.startProcess", history.name, False)
            ignoring = ignoring and told is not True
            retried = 0 if told is True else retried
        elif act == "stop":
            told = daemon.client.outcome("supervisor.stopProcess", history.name)
        elif act == "signal":
            signal = chance.choice(["CONT", "USR2", "BOGUS"])
            told = daemon.client.outcome("supervisor.signalProcess", history.name, signal)
            ends = signal == "USR2" and told is True
        elif act == "trap":
            line = f'trap "" TERM INT USR1; echo trapped {number}\n'
            told = daemon.client.outcome("supervisor.sendProcessStdin", history.name, line)
            daemon.until_file(f"{history.name}.out", f"trapped {number}$")
            ignoring = True
        else:
            told = daemon.client.outcome("supervisor.sendProcessStdin", history.name, act + "\n")
            ends = act != "stdin"
        if ends:
            retried += state == "STARTING"
            gone = info["pid"]
            until(partial(_is_other, daemon, history.name, gone), f"{gone} is gone")
        info = _rest(daemon, history)
        seen = {key: info[key] for key in ("statename", "exitstatus", "spawnerr")}
        history.told.append((act, told, seen, bool(info["pid"]), bool(info["stop"])))
    return history.told


def _story(daemon: Daemon, name: str) -> list[str]:
    """The lines of the main log about one process, without pids."""
    words = r"spawned|success|exited|stopped|gave up|spawnerr|killing"
    about = re.compile(rf"\w+ ({words}):? '?{name}'? .*")
    return [re.sub(r"\d+(?=$|\))", "<n>", line) for line in daemon.log_lines() if about.match(line)]


def test_random_histories_are_the_same(
    launch: Launch, original: Implementation, ours: Implementation
) -> None:
    """The same states, exit statuses, faults and log lines, step by step."""
    seeds = [random.getrandbits(32) for _ in range(HISTORIES)]

    def run(which: Implementation) -> dict[str, object]:
        histories = [History(f"h{number}", seed) for number, seed in enumerate(seeds)]
        sections = [history.section() for history in histories]
        daemon = launch(which, "".join(sections) + program("last", autostart="false"))
        side_by_side(partial(_live, daemon), *histories)
        # Ours writes its log in a thread: what comes before this line is there when it is.
        daemon.call("supervisor.startProcess", "last")
        daemon.until_logged("success: last entered")
        heard: dict[str, object] = {}
        for history in histories:
            about = f"seed {history.seed} {history.options}"
            for number, told in enumerate(history.told):
                heard[f"{about}, step {number}"] = told
            heard[f"{about}, log"] = _story(daemon, history.name)
        return heard

    assert_same("histories", *side_by_side(run, original, ours))
