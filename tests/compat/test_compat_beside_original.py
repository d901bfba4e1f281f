"""The same small scripts with the original's modules and with ours: they print the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.implementations import Implementation

pytestmark = pytest.mark.oracle

DATATYPES = """\
from supervisor import datatypes
def told(name, value):
    try:
        found = getattr(datatypes, name)(value)
        plain = int(found) if name == "signal_number" else getattr(found, "__name__", found)
        print(name, value, repr(plain))
    except ValueError as error:
        print(name, value, error)
values = ["", "7", " 7", "x", "1kb", "2 MB", "3GB", "true", "ON", "0", "a, b,c", "warn", "WARN",
          "hup", "SIGTERM", "9", "99", "root", "nobody-here", "123456", "auto", "none", "OFF",
          "syslog", "/tmp/x", "/not/there/x"]
for name in ["boolean", "integer", "byte_size", "list_of_strings", "logging_level",
             "signal_number", "logfile_name", "name_to_uid"]:
    for value in values:
        told(name, value)
"""

EVENTS = """\
from supervisor import events
class Config:
    def __init__(self, name): self.name = name
class Process:
    config, pid, backoff = Config("web"), 7, 2
    class group: config = Config("g")
for name in sorted(n for n in vars(events.EventTypes) if not n.startswith("_")):
    kind = getattr(events.EventTypes, name)
    print(name, kind.__name__, [base.__name__ for base in kind.__mro__
          if base.__name__.endswith("Event") and "OrBackoff" not in base.__name__])
    assert events.getEventNameByType(kind) == name
    if name.startswith("PROCESS_STATE_"):
        event = kind(Process(), 20)
        print(event.payload(), event.from_state, event.expected, event.extra_values)
    elif name.startswith(("PROCESS_LOG_", "PROCESS_COMMUNICATION_")):
        for data in (b"hello", b"\\xff"):
            event = kind(Process(), 7, data)
            print(repr(event.payload()), event.pid, event.data, event.channel)
    elif name.startswith("TICK_"):
        print(kind(5, None).payload())
print(repr(events.ProcessGroupAddedEvent("g").payload()))
print(repr(events.RemoteCommunicationEvent("a", "b").payload()))
print(events.ProcessCommunicationEvent.BEGIN_TOKEN, events.ProcessCommunicationEvent.END_TOKEN)

class Mine(events.Event):
    def payload(self): return "mine"
class Yours(Mine):
    pass
heard = []
events.subscribe(Mine, heard.append)
events.subscribe(events.Event, heard.append)
events.notify(Yours()); print(len(heard))
events.unsubscribe(Mine, heard.append)
events.notify(Mine()); print(len(heard))
print(events.getEventNameByType(Mine))
events.register("MINE", Mine)
print(events.getEventNameByType(Mine), events.EventTypes.MINE.__name__)
events.clear()
events.notify(Mine()); print(len(heard), events.callbacks)
"""

LOGGERS = """\
import re, sys
from supervisor import loggers
for kind in (loggers.LevelsByName, loggers.LevelsByDescription):
    print({k: v for k, v in vars(kind).items() if not k.startswith("_")})
print(loggers.LOG_LEVELS_BY_NUM)
logger = loggers.getLogger()
loggers.handle_file(logger, "plain", "%(asctime)s %(levelname)s %(message)s\\n", False, 0, 0)
loggers.handle_file(logger, "rotated", "%(message)s\\n", True, 50, 2)
loggers.handle_stdout(logger, "%(levelname)s: %(message)s\\n")
for n in range(9):
    logger.info("line %(n)s", n=n)
for name in "critical error warn info debug trace blather".split():
    getattr(logger, name)("100% " + name)
logger.log(40, "at 40")
logger.close()
print(re.sub(r"[0-9-]{10} [0-9:]{8},[0-9]{3}", "STAMP", open("plain").read()))
"""

OPTIONS = """\
from supervisor import options, dispatchers, xmlrpc, states, compat
print(options.split_namespec("a:b"), options.make_namespec("a", "a"))
for status in (0, 256, 9, 15, 139):
    number, text = options.decode_wait_status(status)
    print(number, text.split(" (")[0])
print(options.signame(15), options.signame(99))
print(options.expand("%(a)s-%(b)02d", {"a": 1, "b": 2}, "x"))
for text in ("%(c)s", "%(a)d"):
    try:
        options.expand(text, {"a": "v"}, "x")
    except ValueError as error:
        print(error)
parser = options.UnhosedConfigParser()
parser.expansions = {"here": "/etc"}
parser.read_string('''\
[supervisord]
logfile=%(here)s/x ; comment
raw=%(here)s
[program:a]
command=cat %(n)s
''')
print(parser.saneget("supervisord", "logfile"), parser.getdefault("logfile"))
print(parser.saneget("supervisord", "raw", do_expand=False))
print(parser.saneget("program:a", "command", expansions={"n": 5}))
print(parser.saneget("program:a", "nothing", "fallback"))
try:
    parser.saneget("program:a", "nothing")
except Exception as error:
    print(type(error).__name__)
parser.add_section("program:b")
parser.set("program:b", "x", "y")
print(parser.saneget("program:b", "x"))
server = options.ServerOptions()
server.realize(args=["-c", "s.conf"])
print(server.configfile.endswith("s.conf"), server.identifier)
for group in server.process_group_configs:
    print(group.name, group.priority)
    for process in group.process_configs:
        print(process.name, process.command, process.priority,
              process.autostart, process.autorestart,
              process.startsecs, process.startretries, process.exitcodes, int(process.stopsignal),
              process.stopwaitsecs, process.stopasgroup, process.killasgroup, process.directory,
              process.umask, process.uid, process.redirect_stderr, process.stdout_logfile_maxbytes,
              process.stderr_logfile_backups, process.stdout_capture_maxbytes,
              process.stdout_events_enabled, process.stdout_syslog, process.environment,
              process.stdout_logfile)
for config in server.server_configs:
    print({key: str(config.get(key)) for key in
           ("family", "host", "port", "file", "section", "username", "password")})
client = options.ClientOptions()
client.realize(args=["-c", "s.conf", "-u", "me", "status"])
print(client.serverurl, client.username, client.password, client.prompt, bool(client.interactive))
print(client.args)
for arguments in (["-c", "none.conf"], ["--bogus"]):
    for kind in (options.ServerOptions, options.ClientOptions):
        try:
            kind().realize(args=arguments)
        except SystemExit as end:
            print(end.code)
dispatchers.default_handler(None, b"OK")
for answer in (b"FAIL", b""):
    try:
        dispatchers.default_handler(None, answer)
    except dispatchers.RejectEvent as error:
        print("rejected", error.args)
class Space:
    def hello(self, name):
        '''Says hello.

        @param string name   whom
        @return string text  what
        '''
        return "hello " + name
    def _hidden(self): pass
system = xmlrpc.SystemNamespaceRPCInterface([("a", Space())])
print(system.listMethods(), system.methodSignature("a.hello"))
root = xmlrpc.RootRPCInterface([("a", Space())])
print(root.a.hello("you"))
print(states.getProcessStateDescription(20), states.getSupervisorStateDescription(1))
print(states.RUNNING_STATES, states.STOPPED_STATES, states.SIGNALLABLE_STATES)
print(xmlrpc.capped_int(2**40), xmlrpc.capped_int(1.5), xmlrpc.xmlrpclib.__name__)
print(compat.as_string(b"x"), compat.as_bytes("x"), compat.httplib.__name__)
"""

CONFIGURATION = """\
[unix_http_server]
file=/tmp/none.sock
username=u
password=p
[inet_http_server]
port=127.0.0.1:9001
[supervisord]
identifier=me
[supervisorctl]
serverurl=unix:///tmp/none.sock
password=pp
prompt=hello
[program:b]
command=cat -b
process_name=%(program_name)s_%(process_num)s
numprocs=2
stopsignal=INT
autorestart=true
environment=A="1",B="x y"
stdout_logfile=NONE
[program:a]
command=cat
priority=5
exitcodes=0,2
stdout_logfile=/tmp/a.log
stdout_logfile_maxbytes=1MB
stdout_capture_maxbytes=1KB
umask=022
directory=/tmp
[group:g]
programs=a
priority=3
"""


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(DATATYPES, id="datatypes"),
        pytest.param(EVENTS, id="events"),
        pytest.param(LOGGERS, id="loggers"),
        pytest.param(OPTIONS, id="options"),
    ],
)
def test_scripts_see_no_difference(script: str, original: Implementation, scratch: Path) -> None:
    """Output and exit status."""
    told = []
    for name, python in (("theirs", original.program("python")), ("ours", sys.executable)):
        directory = scratch / name
        directory.mkdir()
        (directory / "s.conf").write_text(CONFIGURATION)
        done = subprocess.run(
            [python, "-W", "ignore", "-c", script], cwd=directory, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        files = sorted(each.name for each in directory.glob("rotated*"))
        told.append((done.stdout, files))
    assert told[1] == told[0]
