"""Our supervisorctl and the original's, on the same daemon of the original: line by line.

What the long conversation of tests/oracle does not reach: configurations that change, logins,
locales, plug-ins, and names that are not ASCII.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.daemon import Answer, Daemon, Launch, run
from support.implementations import Implementation

pytestmark = pytest.mark.oracle

PROGRAMS = """\
[program:cat]
command=/bin/cat
startsecs=0

[program:a_name_that_is_so_long_that_it_moves_the_columns_of_all]
command=/bin/cat
autostart=false

[program:日志]
command=/bin/sh -c "echo 你好 世界; echo wörter >&2; exec cat"
startsecs=0

[program:a]
command=/bin/cat
startsecs=0

[program:b]
command=/bin/cat
autostart=false

[group:g]
programs=a,b
"""
PLUGIN = """
class Plugin:
    def __init__(self, ctl, options):
        self.ctl, self.options = ctl, options
    def do_hey(self, arg):
        self.ctl.output(f"hey {arg!r} {self.options} {self.name}")
    def help_hey(self):
        self.ctl.output("says hey")
    def do_who(self, arg):
        "tells the pid"
        self.ctl.output(str(self.ctl.get_supervisor().getPID() > 1))
    def do_refused(self, arg):
        from xmlrpc.client import Fault
        try:
            self.ctl.get_supervisor().startProcess("nope")
        except Fault as fault:
            self.ctl.output(fault.faultString)
            self.ctl.set_exitstatus_from_xmlrpc_fault(fault.faultCode)
    def do_methods(self, arg):
        system = self.ctl.get_server_proxy("system")
        self.ctl.output(str("system.listMethods" in system.listMethods()))
    def do_up(self, arg):
        self.ctl.output(f"{self.ctl.upcheck()} {self.ctl.options.serverurl.startswith('unix://')}")
        self.ctl.exitstatus = 9
    def do_other(self, arg):
        self.ctl.onecmd("version")
    def do_boom(self, arg):
        raise ValueError("boom")
    def do_status(self, arg):
        self.ctl.output("never reached")
    def do_help(self, arg):
        self.ctl.output(f"help of the plug-in about {arg!r}")

def make(ctl, **options):
    return Plugin(ctl, options)
"""
_TIMES = re.compile(r"pid \d+|uptime \S+|^\d+$|: file: .*", re.MULTILINE)


def _comparable(answer: Answer) -> tuple[int, str, str]:
    return answer.code, _TIMES.sub("~", answer.out), _TIMES.sub("~", answer.err)


@pytest.fixture(scope="module")
def daemon(launch_shared: Launch, original: Implementation) -> Daemon:
    daemon = launch_shared(original, PROGRAMS)
    daemon.until_state("日志", "RUNNING")
    daemon.until_state("cat", "RUNNING")
    return daemon


@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii:replace"}])
@pytest.mark.parametrize(
    "line",
    [
        "status cat",
        "status cat a_name_that_is_so_long_that_it_moves_the_columns_of_all",
        "status 日志",
        "status zh",
        "status : g:a g: *",
        "pid 日志 cat",
        "pid g:*",
        "tail -f 日志x",
        "tail -f g:zz stderr",
        "tail -f cat sideways",
        "clear g:*",
        "signal 0 日志",
        "start-cat",
        "status; status",
        "  version  ",
        "help nope",
        "help EOF",
        "? nope",
        "!ls",
        "quit",
        "exit",
        "EOF",
    ],
)
def test_lines_and_codes(
    daemon: Daemon, ours: Implementation, line: str, locale: dict[str, str]
) -> None:
    """Also where the terminal has no idea of Unicode."""
    words = [line] if line.startswith(" ") else line.split()
    theirs = daemon.ctl(*words, env=locale)
    assert _comparable(daemon.ctl(*words, by=ours, env=locale)) == _comparable(theirs)


def test_help_shows_the_actions_of_the_original_as_it_does(
    daemon: Daemon, ours: Implementation
) -> None:
    """What only we have comes below, in a block of its own."""
    theirs, our_own = daemon.ctl("help"), daemon.ctl("help", by=ours)
    assert our_own.out.startswith(theirs.out)
    assert "apply" in our_own.out.removeprefix(theirs.out)


def test_logs_that_are_not_ascii(daemon: Daemon, ours: Implementation) -> None:
    """Whatever number of bytes, in whatever locale (seed F2); the original fails at a cut."""
    text = "你好 世界\n"
    for locale in ({}, {"LC_ALL": "C"}):
        answer = daemon.ctl("tail", "日志", by=ours, env=locale)
        assert (answer.code, answer.out) == (0, text + "\n")
        assert daemon.ctl("tail", "日志", "stderr", by=ours, env=locale).out == "wörter\n\n"
    escaped = daemon.ctl("tail", "日志", by=ours, env={"PYTHONIOENCODING": "ascii"})
    assert escaped.out.startswith("Warning: sys.stdout.encoding is set to ascii, so Unicode")
    assert "\\u4e16\\u754c" in escaped.out


def test_configurations_that_change(
    launch: Launch, original: Implementation, ours: Implementation
) -> None:
    """reread, update, add, remove: two equal daemons, the same edits, the same lines."""
    # Waiting answers of the original are cut short when a name is not ASCII (gotcha G7).
    programs = PROGRAMS.replace("日志", "log")
    daemons = [launch(original, programs) for _ in range(2)]
    clients = [original, ours]
    edits = [
        ("[program:new]\ncommand=/bin/cat\nstartsecs=0\n", "reread; reread; avail; add new"),
        (programs.replace("[program:cat]", "[program:dog]"), "reread; update dog nope cat"),
        (programs.replace("[program:cat]", "[program:cat]\npriority=3"), "reread; update"),
        (programs, "update all; reread; remove cat; stop cat; remove cat; add cat"),
        ("[program:x\n", "reread"),
        ("", "update; status; avail"),
    ]

    def answers(daemon: Daemon, client: Implementation, lines: str) -> list[tuple[int, str, str]]:
        heard = [_comparable(daemon.ctl(*line.split(), by=client)) for line in lines.split("; ")]
        return [(code, out.replace(str(daemon.directory), "~"), err) for code, out, err in heard]

    for text, lines in edits:
        for daemon in daemons:
            daemon.configure(text)
        theirs, our_own = (
            answers(daemon, client, lines) for daemon, client in zip(daemons, clients, strict=True)
        )
        assert our_own == theirs, lines


def test_logins(launch: Launch, original: Implementation, ours: Implementation) -> None:
    """From the file, from the command line, wrong and missing ones."""
    login = "[unix_http_server]\nusername=jo\npassword=geheim:1\n"
    daemon = launch(original, PROGRAMS + login, ready=False)
    words = ["-u", "jo", "-p", "geheim:1", "version"]
    daemon.until_logged("supervisord started")
    theirs = daemon.ctl(*words)
    assert _comparable(daemon.ctl(*words, by=ours)) == _comparable(theirs)
    assert theirs.out == "4.3.0\n"
    for wrong in ([], ["-u", "jo"], ["-u", "jo", "-p", "x"]):
        answer = daemon.ctl(*wrong, "tail", "-f", "cat", by=ours)
        assert (answer.code, answer.out) == (1, "Server requires authentication\n")
    stream = daemon.ctl(*words[:4], "tail", "-f", "nope", by=ours)
    assert stream.err.endswith("/logtail/nope/stdout Cannot read, status code 404\n")
    daemon.conf.write_text(
        daemon.conf.read_text().replace("[supervisorctl]", "[supervisorctl]\n" + login[19:])
    )
    assert daemon.ctl("version", by=ours).out == "4.3.0\n"


@pytest.mark.parametrize(
    "line",
    ["hey", "hey a b", "hey;a", "who", "refused", "methods", "up", "other", "boom", "nothing"],
)
def test_plug_ins(
    daemon: Daemon, ours: Implementation, original: Implementation, scratch: Path, line: str
) -> None:
    """The same plug-in in both: what it prints, what it may ask, and how it may end."""
    (scratch / "plug.py").write_text(PLUGIN)
    configuration = scratch / "c.conf"
    configuration.write_text(
        f"[supervisorctl]\nserverurl=unix://{daemon.socket}\n"
        "[ctlplugin:zed]\nsupervisor.ctl_factory=plug:make\nFoo = Bar\n"
    )
    theirs, our_own = (
        run(
            [one.program("supervisorctl"), "-c", str(configuration), *line.split()],
            env={"PYTHONPATH": str(scratch)},
        )
        for one in (original, ours)
    )
    assert _comparable(our_own) == _comparable(theirs)
