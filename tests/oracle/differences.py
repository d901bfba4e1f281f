"""Every deliberate difference between the original and ours that a differential test can see.

Each names the gotcha (or decision) that allows it; the tests refuse any other difference, and any
entry here that no longer is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Difference:
    """Where (`topic` of the test and a pattern for its entries), why, and what ours must look like.

    `ours` is a regular expression, searched in the text of our outcome.
    """

    topic: str
    key: str
    gotcha: str
    reason: str
    ours: str = ""

    def covers(self, topic: str, key: str) -> bool:
        """Whether this entry of this test may differ."""
        return topic == self.topic and fnmatchcase(key, self.key)


_DEAD_SERVER = "with a dead server, one plain line instead of a raw error"

DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "refused files",
        "group with trailing comma",
        "G50",
        "the message names the section that has the mistake",
        ours=r"\[group:g\] names unknown program",
    ),
    *(
        Difference(
            "http",
            f"login {login}",
            "xmlrpc.md 2",
            "a login without a colon, or one that is no base64, is the client's mistake",
            ours=r"^\(400",
        )
        for login in ("bWU=", "!!")
    ),
    Difference(
        "main log",
        "audit",
        "scenarios.md 1.9",
        "each change that is asked for leaves a line: who, from where, what, and its fate",
        ours=r"audit: uid \d+ \(pid <pid>\): stop_process stays: OK",
    ),
    Difference(
        "rpc",
        "* supervisor.getAllConfigInfo()",
        "4.4",
        "autorestart is told, as in the original's next release",
        ours="'autorestart': 'unexpected'",
    ),
    *(
        Difference(topic, f"* {command}", "G87", _DEAD_SERVER, ours="s.sock no such file")
        for topic in ("commands", "commands, original daemon")
        for command in ("reread (dead)", "update (dead)", "add cat (dead)")
    ),
    Difference(
        "events",
        "capture",
        "G24",
        "no PROCESS_LOG event for what was captured",
        ours=r"^\['ver:3.0 \S+ \S+ pool:el \S+ eventname:PROCESS_COMMUNICATION_STDOUT ",
    ),
)
