"""memmon: look at the memory of processes at every tick, and restart those that use too much.

1. Rules are tried in the order program, group, any; a restart ends it for that process (S10).
2. We never restart ourselves (S6).
3. If a process cannot be stopped or started again, memmon ends with status 1: supervisord starts it
   again and sends the same event once more.

Source: compat superlance.md, section 5; S6, S8 to S10.
"""

from __future__ import annotations

import sys
import time
from typing import NoReturn

from proctor.client.server import Row, Server
from proctor.core.values import dataclass
from proctor.listeners import loop, mail
from proctor.listeners.commandline import Parser
from proctor.listeners.logtail import log_tail
from proctor.listeners.loop import Event, say, shown
from proctor.listeners.memory import Census, census


@dataclass(frozen=True, slots=True)
class MemMon:
    """The listener; its fields are its options.  Limits are in bytes, `uptime` is in seconds."""

    programs: dict[str, int]
    groups: dict[str, int]
    any: int | None
    cumulative: bool
    uptime: int | None
    name: str | None
    sendmail: str
    email: str | None
    tail: int

    def handle(self, event: Event) -> None:
        """At a tick: look at every process."""
        if not event.name.startswith("TICK"):
            return
        self._announce()
        with loop.acting() as server:
            self._check_all(server)

    def _check_all(self, server: Server) -> None:
        now = census()
        for row in server.rows("getAllProcessInfo"):
            if row.number("pid") and self._check(server, row, now):
                # Time has passed, and one process is another now.
                now = census()

    def _announce(self) -> None:
        for what, limits in (("programs", self.programs), ("groups", self.groups)):
            if limits:
                said = ", ".join(f"{name}={limit}" for name, limit in sorted(limits.items()))
                say(f"Checking {what} {said}")
        if self.any is not None:
            say(f"Checking any={self.any}")

    def _check(self, server: Server, row: Row, now: Census) -> bool:
        """Whether the process was restarted."""
        group, name, pid = row.text("group"), row.text("name"), row.number("pid")
        used = now.with_descendants(pid) if self.cumulative else now.of(pid)
        if used is None or loop.is_ourselves(group, name):
            return False
        full = f"{group}:{name}"
        program = self.programs.get(full, self.programs.get(name))
        for limit in (program, self.groups.get(group), self.any):
            if limit is not None:
                say(f"RSS of {full} is {used}")
                if used > limit:
                    say(f"Restarting {full}")
                    self._restart(server, group, name, used)
                    return True
        return False

    def _restart(self, server: Server, group: str, name: str, used: int) -> None:
        full = f"{group}:{name}"
        info = server.row("getProcessInfo", full)
        # Before the restart: the program's next life begins with lines of its own.
        tail = log_tail(group, name, self.tail) if self.email else ""
        try:
            server.call("stopProcess", full)
        except loop.RPC_TROUBLE as trouble:
            text = f"Failed to stop process {full} (RSS {used}), exiting: {shown(trouble)}"
            self._give_up(f"failed to stop process {full}, exiting", text, tail)
        try:
            server.call("startProcess", full)
        except loop.RPC_TROUBLE as trouble:
            text = f"Failed to start process {full} after stopping it, exiting: {shown(trouble)}"
            self._give_up(f"failed to start process {full}, exiting", text, tail)
        if self.uptime is None or info.number("now") - info.number("start") <= self.uptime:
            when = f"{time.asctime()} {time.strftime('%Z')}"
            text = (
                f"memmon.py restarted the process named {full} at {when} because it was"
                f" consuming too much memory ({used} bytes RSS)"
            )
            self._mail(f"process {full} restarted", text + tail)

    def _give_up(self, subject: str, text: str, tail: str) -> NoReturn:
        self._mail(subject, text + tail)
        sys.exit(text)

    def _mail(self, subject: str, body: str) -> None:
        if self.email:
            who = f"memmon [{self.name}]" if self.name else "memmon"
            mail.send_by_command(self.sendmail, mail.letter(self.email, f"{who}: {subject}", body))


def _parser() -> Parser:
    parser = Parser(
        "memmon",
        "Restarts processes that use too much memory (RSS).  An event listener for supervisord; "
        "subscribe it to TICK_60, or another TICK event.  A SIZE is a number of bytes, or one "
        "with KB, MB or GB.",
    )
    single, several = parser.single, parser.several
    parser.switch("-c --cumulative", "cumulative", "count the descendants of a process, too")
    program = "limit of a process or group:process"
    several("-p --program", "programs", "NAME=SIZE", program, kind="named_size")
    several(
        "-g --group", "groups", "NAME=SIZE", "limit of each process of a group", kind="named_size"
    )
    single("-a --any", "any", "SIZE", "limit of every process but this one", kind="size")
    uptime = "mail only if the process was up no longer, as in 30s 5m 2h 1d"
    single("-u --uptime", "uptime", "TIME", uptime, kind="time")
    single("-n --name", "name", "NAME", "name to tell several memmon apart by in subjects")
    parser.mail_options()
    return parser


def main(argv: list[str] | None = None) -> int:
    """The command.  Raises SystemExit, too."""
    arguments = sys.argv[1:] if argv is None else argv[1:]
    parser = _parser()
    if not arguments:
        parser.error("nothing to watch")
    chosen, _ = parser.parse_args(arguments)
    if not loop.is_supervised():
        say("memmon must be run as a supervisor event listener")
        return 1
    options = vars(chosen)
    programs, groups = dict(options.pop("programs")), dict(options.pop("groups"))
    loop.listen(MemMon(programs, groups, **options).handle)


if __name__ == "__main__":
    sys.exit(main())
