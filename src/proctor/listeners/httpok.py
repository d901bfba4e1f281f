"""httpok: ask a web server at every tick, and restart processes when its answer is wrong.

1. Each line of what is done goes to the log at once, and to the mail in the end.
2. A mail is sent for every wrong answer, even when nothing was restarted.
3. We never restart ourselves (S6).

Source: compat superlance.md, section 4; S3 to S7.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator

from proctor.client.server import Row, Server
from proctor.core.names import make_namespec
from proctor.core.values import dataclass
from proctor.listeners import loop, mail
from proctor.listeners.commandline import Parser
from proctor.listeners.logtail import log_tail
from proctor.listeners.loop import Event, say, shown
from proctor.listeners.webcheck import CHECK_TROUBLE, WebCheck

_RUNNING = 20


@dataclass(frozen=True, slots=True)
class HttpOk:
    """The listener; its fields are its options."""

    check: WebCheck
    programs: list[str]
    any: bool
    gcore: str
    coredir: str | None
    codes: list[int]
    body: str | None
    eager: bool
    name: str | None
    sendmail: str
    email: str | None
    tail: int

    def handle(self, event: Event) -> None:
        """At a tick: ask, and act on what comes back."""
        if not event.name.startswith("TICK"):
            return
        with loop.acting() as server:
            if not self.eager and not self._has_running(server):
                return
            subject, report = self._ask()
            if subject:
                self._act(server, subject, report)

    def _has_running(self, server: Server) -> bool:
        rows = server.rows("getAllProcessInfo")
        return any(row.number("state") == _RUNNING and self._concerns(row) for row in rows)

    def _concerns(self, row: Row) -> bool:
        group, name = row.text("group"), row.text("name")
        if loop.is_ourselves(group, name):
            return False
        return self.any or loop.is_among(self.programs, group, name)

    def _ask(self) -> tuple[str, str]:
        """What is wrong, for the subject ("" for nothing), and the first line of the report."""
        url = self.check.url
        try:
            answer = self.check.ask()
        except CHECK_TROUBLE as trouble:
            return "bad status returned", f"error contacting {url}:\n\n {trouble}"
        report = f"status contacting {url}: {answer.status} {answer.reason}"
        if answer.status not in (self.codes or [200]):
            return "bad status returned", report
        if self.body and not answer.contains(self.body):
            return "bad body returned", report
        return "", report

    def _act(self, server: Server, subject: str, report: str) -> None:
        lines = [report]

        def tell(line: str) -> None:
            say(line)
            lines.append(line)

        rows = server.rows("getAllProcessInfo")
        what = "all running processes" if self.any else f"selected processes {self.programs}"
        tell(f"Restarting {what}")
        tails = []
        for row in rows:
            if self._concerns(row):
                tails.append(self._tail(row))
                for line in self._restart(server, row):
                    tell(line)
        missing = [name for name in self.programs if not _exists(name, rows)]
        if missing and not self.any:
            tell(f"Programs not restarted because they did not exist: {missing}")
        if self.email:
            self._mail(self.email, subject, "\n".join(lines) + "".join(tails))

    def _tail(self, row: Row) -> str:
        # Before the restart: the program's next life begins with lines of its own.
        if not self.email or row.number("state") != _RUNNING:
            return ""
        return log_tail(row.text("group"), row.text("name"), self.tail)

    def _restart(self, server: Server, row: Row) -> Iterator[str]:
        """Stop and start a process, if it runs; in lines that are yielded as things happen."""
        name = make_namespec(row.text("group"), row.text("name"))
        if row.number("state") != _RUNNING:
            yield f"{name} not in RUNNING state, NOT restarting"
            return
        if self.coredir:
            yield f"gcore output for {name}:\n\n {self._core(name, row.number('pid'))}"
        yield f"{name} is in RUNNING state, restarting"
        try:
            server.call("stopProcess", name)
        except loop.RPC_TROUBLE as trouble:
            yield f"Failed to stop process {name}: {shown(trouble)}"
        try:
            server.call("startProcess", name)
        except loop.RPC_TROUBLE as trouble:
            yield f"Failed to start process {name}: {shown(trouble)}"
        else:
            yield f"{name} restarted"

    def _core(self, name: str, pid: int) -> str:
        path = shlex.quote(f"{self.coredir}/{name}")
        done = subprocess.run(
            f"{self.gcore} {path} {pid}", shell=True, stdout=subprocess.PIPE, check=False
        )
        return done.stdout.decode("utf-8", "replace")

    def _mail(self, address: str, subject: str, body: str) -> None:
        who = f"httpok [{self.name}]" if self.name else "httpok"
        message = mail.letter(address, f"{who}: {self.check.url}: {subject}", body)
        mail.send_by_command(self.sendmail, message)
        say(f"Mailed:\n\n{message}")


def _exists(wanted: str, rows: list[Row]) -> bool:
    return any(loop.is_among([wanted], row.text("group"), row.text("name")) for row in rows)


def _parser() -> Parser:
    parser = Parser(
        "httpok",
        "Asks for a URL at every tick and restarts processes when the answer is not the expected "
        "one.  An event listener for supervisord; subscribe it to TICK_60, or another TICK event.",
        "URL",
    )
    single, switch = parser.single, parser.switch
    parser.several("-p --program", "programs", "NAME", "restart this process or group:process")
    switch("-a --any", "any", "restart every running process but this one; stronger than -p")
    gcore = "/usr/bin/gcore -o"
    single("-g --gcore", "gcore", "COMMAND", f"program that writes a core ({gcore})", default=gcore)
    single("-d --coredir", "coredir", "DIR", "write a core of each process there before restarting")
    timeout = "how long to wait for an answer (10)"
    single("-t --timeout", "timeout", "SECONDS", timeout, default=10, kind="int")
    parser.several("-c --code", "codes", "STATUS", "status that is right (200)", kind="int")
    single("-b --body", "body", "TEXT", "text that must be in the body of the answer")
    single("-n --name", "name", "NAME", "name to tell several httpok apart by in subjects")
    eager = parser.add_option("-e", "--eager", action="store_true", default=True)
    eager.help = "ask always; the default"
    lazy = parser.add_option("-E", "--not-eager", action="store_false", dest="eager")
    lazy.help = "ask only while one of the processes is running"
    switch("--verify-tls", "verify_tls", "https: insist on a valid certificate")
    parser.mail_options()
    return parser


def main(argv: list[str] | None = None) -> int:
    """The command.  Raises SystemExit, too."""
    parser = _parser()
    chosen, urls = parser.parse_args(sys.argv[1:] if argv is None else argv[1:])
    if len(urls) != 1:
        parser.error("one URL is wanted")
    if not loop.is_supervised():
        say("httpok must be run as a supervisor event listener")
        return 0
    options = vars(chosen)
    check = WebCheck(urls[0], options.pop("timeout"), options.pop("verify_tls"))
    if check.scheme not in ("http", "https"):
        sys.exit(f"Bad scheme {check.scheme}")
    loop.listen(HttpOk(check, **options).handle)


if __name__ == "__main__":
    sys.exit(main())
