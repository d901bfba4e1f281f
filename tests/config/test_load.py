"""From text to specs: sections, defaults, groups, names, expansion; and the notes for the log."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.a_world import MAIN, START, AWorld, read, warnings
from proctor.config.commandline import Overrides
from proctor.config.load import load
from proctor.core.settings import DaemonSettings, PluginSettings, ServerSettings
from proctor.core.spec import (
    AutoRestart,
    GroupSpec,
    LogKind,
    OutputPolicy,
    PoolSpec,
    ProcessKind,
    ProcessSpec,
    SocketSpec,
    StartPolicy,
    StopPolicy,
)

RPC = "supervisor.rpcinterface:make_main_rpcinterface"


def only(text: str, world: AWorld | None = None, **more: str) -> ProcessSpec:
    """The one process of a configuration."""
    ((process,),) = (group.processes for group in read(START + text, world, **more).groups)
    return process


def names(text: str) -> list[str]:
    """group:process of all processes, in order."""
    groups = read(START + text).groups
    return [f"{group.name}:{process.name}" for group in groups for process in group.processes]


def test_an_empty_supervisord_section_gives_the_defaults() -> None:
    """Relative paths are made absolute with the directory at start (gotcha G8)."""
    assert read(START).daemon == DaemonSettings(
        "/work/supervisord.log",
        "/work/supervisord.pid",
        "/tmp",
        journal="/work/supervisord.journal",
    )


@pytest.mark.parametrize(
    ("lines", "journal"),
    [
        ("", "/work/supervisord.journal"),
        ("journal=auto\nlogfile=/var/log/me.log", "/var/log/me.journal"),
        ("logfile=/dev/stdout\npidfile=/tmp/me.pid", "/tmp/me.journal"),
        ("logfile=syslog\npidfile=p", "/work/p.journal"),
        ("logfile=/dev/null\npidfile=/dev/null", None),
        ("journal=j.db", "/work/j.db"),
        ("journal=None", None),
        ("journal=off", None),
    ],
)
def test_the_journal_is_beside_what_is_the_daemon_s_own(lines: str, journal: str | None) -> None:
    """The next daemon with the same files finds it, and no other daemon has it."""
    world = AWorld(directories={"/", "/tmp", "/var/log", "/work", "/dev"})
    assert read(f"{START}{lines}\n", world).daemon.journal == journal


def test_every_option_of_supervisord_arrives() -> None:
    """Seed E8 among others."""
    world = AWorld(directories={"/", "/tmp", "/var/log", "/root"})
    text = START + (
        "logfile=~/s.log\nlogfile_maxbytes=1MB\nlogfile_backups=3\nloglevel=Debug\n"
        "pidfile=/tmp/p\numask=027\nnodaemon=true\nsilent=yes\nminfds=100\nminprocs=50\n"
        "nocleanup=on\nchildlogdir=/var/log\nuser=web\ndirectory=/tmp\nstrip_ansi=1\n"
        'environment=A="1",B="%(ENV_HOME)s"\nidentifier=me\nkeeper=false\nhup=Apply\n'
        "upgrade_timeout=7\n"
        "journal=/tmp/j\njournal_maxbytes=1MB\njournal_maxdays=7\n"
    )
    assert read(text, world).daemon == DaemonSettings(
        logfile="/root/s.log",
        pidfile="/tmp/p",
        childlogdir="/var/log",
        logfile_maxbytes=1024**2,
        logfile_backups=3,
        loglevel="debug",
        umask=0o027,
        nodaemon=True,
        silent=True,
        minfds=100,
        minprocs=50,
        nocleanup=True,
        uid=1000,
        directory="/tmp",
        strip_ansi=True,
        environment=(("A", "1"), ("B", "/root")),
        identifier="me",
        keeper=False,
        hup="apply",
        upgrade_timeout=7,
        journal="/tmp/j",
        journal_maxbytes=1024**2,
        journal_maxdays=7,
    )


def test_syslog_is_no_file() -> None:
    assert read(START + "logfile=syslog\n").daemon.logfile is None


def test_a_program_with_only_a_command_has_the_defaults() -> None:
    process = only("[program:cat]\ncommand=/bin/cat\n")
    assert process == ProcessSpec("cat", "cat", "/bin/cat")
    assert process.origin == f"{MAIN}:2"


def test_every_option_of_a_program_arrives() -> None:
    """Seed B15 and C3."""
    text = (
        "[program:x]\ncommand=cat\ndirectory=~/nope\numask=022\npriority=5\nautostart=false\n"
        "startsecs=10\nstartretries=20\nautorestart=true\nexitcodes=0,2\nstopsignal=QUIT\n"
        "stopwaitsecs=7\nstopasgroup=true\nuser=web\nredirect_stderr=false\n"
        "stdout_logfile=/tmp/o\nstdout_logfile_maxbytes=20MB\nstdout_logfile_backups = 20\n"
        "stdout_capture_maxbytes=1MB\nstdout_events_enabled=true\nstdout_syslog=true\n"
        'stderr_logfile=none\nenvironment=A="1"\nserverurl=http://h:1\n'
    )
    assert only(text) == ProcessSpec(
        name="x",
        group="x",
        command="cat",
        directory="~/nope",
        umask=0o022,
        priority=5,
        uid=1000,
        environment=(("A", "1"),),
        serverurl="http://h:1",
        start=StartPolicy(False, 10, 20, AutoRestart.ALWAYS, (0, 2)),
        stop=StopPolicy(3, 7, True, True),
        stdout=OutputPolicy(LogKind.FILE, "/tmp/o", 20 * 1024**2, 20, 1024**2, True, True),
        stderr=OutputPolicy(LogKind.NONE),
    )


def test_kill_mode_says_how_far_a_stop_reaches() -> None:
    """In the words of the two old flags; stopasgroup=false narrows the stop signal only."""
    cat = "[program:cat]\ncommand=/bin/cat\n"
    assert only(cat + "kill_mode=process\n").stop == StopPolicy()
    group = StopPolicy(stopasgroup=True, killasgroup=True)
    assert only(cat + "kill_mode=Group\n").stop == group
    assert only(cat + "kill_mode=tree\n").stop == replace(group, tree=True)
    first = StopPolicy(killasgroup=True, tree=True)
    assert only(cat + "kill_mode=tree\nstopasgroup=false\n").stop == first


def test_numprocs_counts_from_numprocs_start_and_sorts_by_name() -> None:
    """Observed: b10 before b8."""
    text = "[program:b]\ncommand=c\nnumprocs=3\nnumprocs_start=8\nprocess_name=b%(process_num)d\n"
    assert names(text) == ["b:b10", "b:b8", "b:b9"]


def test_processes_that_log_alike_share_a_policy() -> None:
    """There may be thousands; those with files of their own have policies of their own."""
    text = "[program:b]\ncommand=c\nnumprocs=2\nprocess_name=b%(process_num)d\n"
    file = "stderr_logfile=/tmp/%(process_num)d\n"
    (group,) = read(START + text + file).groups
    one, other = group.processes
    assert one.stdout is other.stdout
    assert (one.stderr.path, other.stderr.path) == ("/tmp/0", "/tmp/1")


def test_seed_b6_keeps_the_semicolon_in_the_names() -> None:
    """Seeds B6, gotcha G44: kept, with a warning."""
    world = AWorld()
    configuration = read(
        START + "[include]\nfiles=conf.d/*.ini\n",
        world,
        foo=" [program:foo]\n command=python server.py --port=90%(process_num)02d\n numprocs=2\n"
        " process_name=%(program_name)s_%(process_num)02d;\n autorestart=true\n"
        " redirect_stderr=true\n stdout_logfile=/tmp/x.log\n",
    )
    (group,) = configuration.groups
    assert [process.name for process in group.processes] == ["foo_00;", "foo_01;"]
    assert [process.command[-4:] for process in group.processes] == ["9000", "9001"]
    assert group.processes[0].stderr.kind is LogKind.NONE
    assert any(
        "process_name: the ';' is part of the value" in text for text in warnings(configuration)
    )


def test_expansion_knows_the_programs_own_environment_where_the_original_does() -> None:
    """Section 4: command, directory, log names and process name."""
    process = only(
        'environment=S="5"\n[program:x]\ncommand=c %(ENV_S)s %(ENV_Z)s %(host_node_name)s\n'
        'environment=Z="%(ENV_S)s6"\nprocess_name=p%(ENV_Z)s\ndirectory=/%(ENV_Z)s\n'
        "stdout_logfile=/tmp/%(group_name)s%(program_name)s%(ENV_Z)s\n"
    )
    assert process.command == "c 5 56 box"
    assert (process.name, process.directory) == ("p56", "/56")
    assert process.stdout.path == "/tmp/xx56"
    assert process.environment == (("S", "5"), ("Z", "56"))


def test_a_literal_percent_in_log_names_may_be_written_with_two_or_four() -> None:
    """Gotcha G14."""
    for written in ("%%", "%%%%"):
        assert only(f"[program:x]\ncommand=c\nstdout_logfile=/tmp/a{written}b\n").stdout.path in (
            "/tmp/a%b",
        )
        assert read(START + f'environment=A="{written}"\n').daemon.environment == (("A", "%"),)


def test_here_is_the_directory_of_the_file_in_which_the_option_stands() -> None:
    """Observed: option by option."""
    process = only(
        "[include]\nfiles=conf.d/*.ini\n[program:x]\ncommand=c %(here)s\nserverurl=%(here)s\n",
        x="[program:x]\ncommand=d %(here)s\n",
    )
    assert (process.command, process.serverurl) == ("d /etc/conf.d", "/etc")


def test_defaults_stand_in_for_what_a_section_lacks() -> None:
    text = (
        "[DEFAULT]\nautostart=false\n[program:x]\ncommand=c\n[program:y]\ncommand=c\nautostart=1\n"
    )
    groups = read(START + text).groups
    assert [group.processes[0].start.autostart for group in groups] == [False, True]


# Groups


def test_groups_are_sorted_by_priority_and_name_and_pools_come_first() -> None:
    text = (
        "[program:z]\ncommand=c\n[program:a]\ncommand=c\npriority=5\n"
        "[eventlistener:m]\ncommand=c\nevents=TICK\n[program:b]\ncommand=c\n"
    )
    assert names(text) == ["m:m", "a:a", "b:b", "z:z"]


def test_a_group_takes_its_programs_and_keeps_the_order_in_which_it_names_them() -> None:
    """Seed B8; gotcha G12 is about starting them."""
    text = (
        "[program:z]\ncommand=c\n[program:a]\ncommand=c\npriority=5\n"
        "[program:c]\ncommand=c\nnumprocs=2\nprocess_name=c%(process_num)d\n"
        "[group:g]\nprograms=z, c,\n  a ;each refers to'x'\npriority=999 ;x\n"
    )
    assert names(text) == ["g:z", "g:c0", "g:c1", "g:a"]


def test_a_program_may_be_in_several_groups() -> None:
    text = "[program:a]\ncommand=%(group_name)s\n[group:g]\nprograms=a\n[group:h]\nprograms=a\n"
    groups = read(START + text).groups
    assert [(group.name, group.processes[0].command) for group in groups] == [
        ("g", "g"),
        ("h", "h"),
    ]


def test_of_two_groups_with_one_name_the_first_in_order_stays_and_we_say_so() -> None:
    """At equal priority a [group:x] wins over a [program:x], that over a listener, whatever the
    order in the file (observed)."""
    text = "[program:g]\ncommand=c\n[program:a]\ncommand=c\n[group:g]\nprograms=a\n"
    assert names(text) == ["g:a"]
    assert names(text.replace("[program:g]\n", "[program:g]\npriority=1\n")) == ["g:g"]
    assert any("two groups are called 'g'" in said for said in warnings(read(START + text)))


def test_of_two_processes_with_one_name_in_a_group_the_last_is_run() -> None:
    """Observed; the original says nothing."""
    text = (
        "[program:a]\ncommand=a\nprocess_name=p\n[program:b]\ncommand=b\nprocess_name=p\n"
        "[group:g]\nprograms=a,b\n"
    )
    configuration = read(START + text)
    assert [process.command for process in configuration.groups[0].processes] == ["b"]
    assert any("two processes called 'p'" in said for said in warnings(configuration))


def test_a_listener_is_a_pool() -> None:
    """One priority option feeds both: -1 for the pool, 999 for its processes."""
    text = "[eventlistener:e]\ncommand=c\nevents=tick_5 , Process_State\nresult_handler=good:it\n"
    (group,) = read(START + text).groups
    assert group == GroupSpec(
        "e",
        -1,
        ProcessKind.LISTENER,
        (ProcessSpec("e", "e", "c", ProcessKind.LISTENER),),
        PoolSpec(("TICK_5", "PROCESS_STATE"), 10, "good:it"),
    )
    with_priority = read(START + text + "priority=7\nbuffer_size=3\n").groups[0]
    assert (with_priority.priority, with_priority.processes[0].priority) == (7, 7)
    assert with_priority.pool == PoolSpec(("TICK_5", "PROCESS_STATE"), 3, "good:it")


def test_the_standard_result_handler_is_none() -> None:
    text = "result_handler=supervisor.dispatchers:default_handler\n"
    (group,) = read(START + "[eventlistener:e]\ncommand=c\nevents=TICK\n" + text).groups
    assert group.pool == PoolSpec(("TICK",))


@pytest.mark.parametrize(
    ("lines", "socket"),
    [
        ("socket=tcp://h:9000", SocketSpec("tcp://h:9000")),
        ("socket=tcp://h:9000\nsocket_backlog=5", SocketSpec("tcp://h:9000", 5)),
        ("socket=unix:///tmp/%(program_name)s", SocketSpec("unix:///tmp/f", mode=0o700)),
        (
            "socket=unix:///tmp/s\nuser=web",
            SocketSpec("unix:///tmp/s", owner=(1000, 1001), mode=0o700),
        ),
        (
            "socket=unix:///tmp/s\nsocket_owner=web:staff\nsocket_mode=0666",
            SocketSpec("unix:///tmp/s", owner=(1000, 50), mode=0o666),
        ),
    ],
)
def test_a_fastcgi_program_has_a_socket_also_inside_a_group(lines: str, socket: SocketSpec) -> None:
    """Gotcha G13."""
    text = f"[fcgi-program:f]\ncommand=c\n{lines}\n"
    assert only(text).socket == socket
    assert only(text + "[group:g]\nprograms=f\n").socket == socket


# Servers and plug-ins


def test_servers_tcp_before_unix() -> None:
    text = (
        "[unix_http_server]\nfile=~/%(ENV_LANG)s.sock\nchmod=0777\nchown=web:staff\n"
        "[inet_http_server:b]\nport=127.0.0.1:9001 ;x\nusername=u\npassword={SHA}00\n"
        "[inet_http_server]\nport=*:9002\n"
    )
    assert read(START + text).servers == (
        ServerSettings(
            "inet_http_server:b", host="127.0.0.1", port=9001, username="u", password="{SHA}00"
        ),
        ServerSettings("inet_http_server", port=9002),
        ServerSettings("unix_http_server", "/root/C.sock", 0o777, (1000, 50)),
    )


def test_rpcinterfaces_take_all_other_options_along() -> None:
    """Ours is known by its name; others must be importable."""
    text = (
        f"[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = {RPC}\n"
        "[rpcinterface:x]\nsupervisor.rpcinterface_factory=good:f\nA=%(here)s\nb=2\n"
    )
    assert read(START + text).rpcinterfaces == (
        PluginSettings("supervisor", RPC),
        PluginSettings("x", "good:f", (("a", "/etc"), ("b", "2"))),
    )


def test_negative_sizes_and_counts_are_zero() -> None:
    """Observed: -1 is no limit.  As it stands it would have the log rotated for ever."""
    lines = "logfile_maxbytes=-1\nlogfile_backups=-3\n"
    found = read(START + lines + f"[program:x]\ncommand=c\nstdout_{lines[:20]}\n")
    assert (found.daemon.logfile_maxbytes, found.daemon.logfile_backups) == (0, 0)
    assert found.groups[0].processes[0].stdout.maxbytes == 0


# Notes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[program:x]\ncommand=c\nredirect_stderr=true\nstderr_logfile=/tmp/e\n",
            "For [program:x], redirect_stderr=true but stderr_logfile has also been set to a "
            "filename, the filename has been ignored",
        ),
        (
            "[program:x]\ncommand=c\nstdout_logfile=SysLog\n",
            "For [program:x], stdout_logfile=syslog but this is deprecated and will be removed.  "
            "Use stdout_syslog=true to enable syslog instead.",
        ),
        (
            "[program:x]\ncommand=c\nstderr_logfile_maxbytes=0\n",
            "For [program:x], AUTO logging used for stderr_logfile without rollover, set maxbytes "
            "> 0 to avoid filling up filesystem unintentionally",
        ),
        (
            "[program:x]\ncommand=c\nloglevel=info\n",
            "unknown option 'loglevel' in [program:x] is ignored",
        ),
        (
            "[program:x]\ncommand=c\nautorestrat=true\n",
            "unknown option 'autorestrat' in [program:x] is ignored; did you mean autorestart?",
        ),
        (
            "[program:x]\ncommand=c\n[program:x]\npriority=3\n",
            f"[program:x] is written already at {MAIN}:2; both are read as one section",
        ),
        (
            "[program:x]\ncommand=c\ncommand=d\n",
            f"[program:x] command is set already at {MAIN}:3; that value is ignored",
        ),
        (
            "[Program:x]\ncommand=c\n",
            "unknown section [Program:x] is ignored; did you mean [program:x]?",
        ),
        (
            "[program:x]\ncommand=sh -c 'x ; y'\n",
            "[program:x] command: a quote is left open where the comment was cut off",
        ),
        (
            "[program:x]\ncommand=c\n  [program:y]\n",
            f"[program:x] command: {MAIN}:4 is indented and so continues this value",
        ),
        ("[program:x]\ncommand=c\nnumprocs=0\n", "[program:x] numprocs=0: nothing is run"),
        (
            "[program:x]\ncommand=c\nenvironment=A=a b\n",
            "[program:x] environment: the value of A is shortened; put it in quotes",
        ),
        (
            "identifier=a b\n",
            "identifier has blanks in it: event listeners will misread it",
        ),
        ("nodaemon=true\numask=022\n", "umask has no effect in the foreground (nodaemon)"),
        (
            "[inet_http_server]\nport=9001\n[inet_http_server:b]\nport=*:9001\n",
            "[inet_http_server] and [inet_http_server:b] both listen on :9001",
        ),
        (
            "[program:x]\ncommand=c\nstdout_logfile=/tmp/l\nstderr_logfile=/tmp/l\n"
            "[program:y]\ncommand=c\nstdout_logfile=/tmp/l\n",
            "x:x, y:y write to one log, /tmp/l, and each would rotate it",
        ),
    ],
)
def test_what_looks_like_an_oversight_is_told_and_never_fatal(text: str, said: str) -> None:
    """Gotchas G15, G17, G38, G40, G43 to G46."""
    assert said in warnings(read(START + text))


def test_nothing_is_said_about_a_faultless_file() -> None:
    text = (
        "nodaemon=true\n[unix_http_server]\nfile=/tmp/s\n[supervisorctl]\nprompt=x\n"
        "[program:x]\ncommand=c\n[ctlplugin:y]\nsupervisor.ctl_factory=a:b\nc=d\n"
    )
    assert read(START + text).notes == ()


def test_the_command_line_wins_over_the_file() -> None:
    world = AWorld()
    world.put(MAIN, START + "loglevel=debug\nnodaemon=false\n")
    overrides = Overrides(values={"loglevel": "warn", "nodaemon": True, "logfile": "x.log"})
    daemon = load(MAIN, overrides, world).daemon
    assert (daemon.loglevel, daemon.nodaemon, daemon.logfile) == ("warn", True, "/work/x.log")


def test_a_relative_path_is_remembered_absolute() -> None:
    """Gotcha G8."""
    world = AWorld()
    world.put("/work/s.conf", START)
    assert load("s.conf", Overrides(), world).path == "/work/s.conf"


def test_what_is_written_twice_is_told_with_both_places() -> None:
    """Across files, too; said once, and not when it makes no difference."""
    text = f"{START}[include]\nfiles=conf.d/a.ini conf.d/*a.ini conf.d/b.ini\n"
    a, b = "[program:x]\ncommand=c\npriority=1\n", "[program:x]\npriority=2\ncommand=c\n"
    notes = [note.line() for note in read(text, a=a, b=b).notes if note.level == "warn"]
    assert notes == [
        "[program:x] is written already at /etc/conf.d/a.ini:1; both are read as one section"
        " (/etc/conf.d/b.ini:1)",
        "[program:x] priority is set already at /etc/conf.d/a.ini:3; that value is ignored"
        " (/etc/conf.d/b.ini:2)",
    ]
