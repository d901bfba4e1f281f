"""What supervisorctl reads, where supervisord looks, what an update finds, what the sample says."""

from __future__ import annotations

import pytest

from config.a_world import MAIN, START, AWorld, read
from proctor.config.client import load_client
from proctor.config.diff import diff
from proctor.config.discover import candidates, find, search
from proctor.config.document import sample
from proctor.config.options.all import SECTIONS
from proctor.config.problems import ConfigError
from proctor.core.settings import ClientSettings, PluginSettings
from proctor.core.spec import GroupSpec


def client(text: str, world: AWorld | None = None) -> ClientSettings:
    world = world or AWorld()
    world.put(MAIN, text)
    return load_client("/opt/venv/bin/supervisorctl", MAIN, world)


def test_the_clients_section_with_its_plug_ins() -> None:
    text = (
        "[supervisorctl]\n;serverurl=unix:///x\nserverurl=unix://%(here)s/s ;\nusername=u\n"
        "password=p;w\nprompt=mysupervisor\nhistory_file=~/.sc_history\n"
        "[ctlplugin:x]\nsupervisor.ctl_factory=a:b\nc=%(ENV_HOME)s\n"
    )
    assert client(text) == ClientSettings(
        "unix:///etc/s",
        "u",
        "p;w",
        "mysupervisor",
        "/root/.sc_history",
        (PluginSettings("x", "a:b", (("c", "/root"),)),),
    )


def test_without_a_file_the_client_has_defaults() -> None:
    assert load_client("supervisorctl", None, AWorld()) == ClientSettings(guessed=True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (START, ".ini file does not include supervisorctl section"),
        (
            "[supervisorctl]\n[ctlplugin:x]\n",
            "section [ctlplugin:x] does not specify a supervisor.ctl_factory",
        ),
    ],
)
def test_the_clients_mistakes(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        client(text)
    assert refused.value.text == words


def test_the_client_looks_into_includes_only_if_the_main_file_has_no_section_for_it() -> None:
    """Gotcha G51."""
    world = AWorld()
    world.put("/etc/c.ini", "[supervisorctl]\nserverurl=unix:///included\n")
    include = "[include]\nfiles=*.ini\n"
    assert client(include, world).serverurl == "unix:///included"
    own = "[supervisorctl]\nserverurl=unix:///own\n"
    assert client(own + include, world).serverurl == "unix:///own"


def test_the_search_path_in_order() -> None:
    """Seeds A1 and F4."""
    world = AWorld()
    assert candidates("supervisord")[:2] == ["etc/supervisord.conf", "supervisord.conf"]
    with pytest.raises(ConfigError) as refused:
        find("/opt/venv/bin/supervisord", world)
    assert refused.value.text == (
        "No config file found at default paths (/opt/venv/etc/supervisord.conf, "
        "/opt/venv/supervisord.conf, supervisord.conf, etc/supervisord.conf, "
        "/etc/supervisord.conf, /etc/supervisor/supervisord.conf); use the -c option to specify a "
        "config file at a different path"
    )
    world.put("/etc/supervisord.conf", START)
    assert search("/opt/venv/bin/supervisord", world) == "/etc/supervisord.conf"
    world.put("/work/supervisord.conf", START)
    assert find("/opt/venv/bin/supervisord", world) == "supervisord.conf"


PROGRAMS = "[program:a]\ncommand=a\n[program:b]\ncommand=b\n"


def groups(text: str) -> tuple[GroupSpec, ...]:
    return read(START + text).groups


def changed(old: str, new: str) -> tuple[list[str], list[str], list[str]]:
    found = diff(groups(old), groups(new))
    added, edited, removed = found.added, found.changed, found.removed
    return [g.name for g in added], [g.name for g in edited], [g.name for g in removed]


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        (PROGRAMS, "[program:b]\ncommand=b\n[program:a]\ncommand=a\n", ([], [], [])),
        (PROGRAMS, PROGRAMS + "autostart=false\n", ([], ["b"], [])),
        (PROGRAMS, "[program:b]\ncommand=b\n", ([], [], ["a"])),
        (PROGRAMS, PROGRAMS + "[group:g]\nprograms=b\n", (["g"], [], ["b"])),
        (PROGRAMS, "environment=X=1\n" + PROGRAMS, ([], ["a", "b"], [])),
        (PROGRAMS, PROGRAMS + "stdout_logfile_backups=3\n", ([], ["b"], [])),
        (
            PROGRAMS + "[group:g]\nprograms=a,b\n",
            PROGRAMS + "[group:g]\nprograms=b,a\n",
            ([], ["g"], []),
        ),
        (
            "[eventlistener:e]\ncommand=c\nevents=TICK\n",
            "[eventlistener:e]\ncommand=c\nevents=TICK_5\n",
            ([], ["e"], []),
        ),
        (
            "[fcgi-program:f]\ncommand=c\nsocket=unix:///tmp/s\n",
            "[fcgi-program:f]\ncommand=c\nsocket=unix:///tmp/s\nsocket_mode=0666\n",
            ([], ["f"], []),
        ),
    ],
)
def test_an_update_touches_what_was_edited(
    old: str, new: str, names: tuple[list[str], list[str], list[str]]
) -> None:
    """Scenario row 19, gotcha G55: moving sections about is no change."""
    assert changed(old, new) == names


def test_inside_a_group_only_the_edited_members_differ() -> None:
    """Scenario row 19: what an update may leave running."""
    before = "[program:a]\ncommand=a\nnumprocs=2\nprocess_name=a%(process_num)d\n"
    (old,), (new,) = groups(before), groups(before.replace("=2", "=3"))
    found = diff(old.processes, new.processes)
    assert [process.name for process in found.added] == ["a2"]
    assert (found.changed, found.removed) == ((), ())


def test_the_sample_can_be_read_and_runs_as_printed() -> None:
    """Seed E1."""
    world = AWorld()
    configuration = read(sample(), world)
    assert configuration.daemon.logfile == "/tmp/supervisord.log"
    assert configuration.daemon.pidfile == "/tmp/supervisord.pid"
    assert [server.file for server in configuration.servers] == ["/tmp/supervisor.sock"]
    assert [plugin.name for plugin in configuration.rpcinterfaces] == ["supervisor"]
    assert (configuration.groups, configuration.notes) == ((), ())
    assert client(sample()).serverurl == "unix:///tmp/supervisor.sock"


def test_the_sample_shows_every_option_and_its_values_are_good() -> None:
    """Take the semicolons away and every row is set, to something that can be read."""
    world = AWorld(directories={"/", "/tmp", "/a", "/root"})
    lines = [line[1:] if line.startswith(";") else line for line in sample().splitlines()]
    text = "\n".join(line for line in lines if not line.startswith(" "))
    text = text.replace("nobody:nogroup", "web:staff").replace("=nobody", "=web")
    text = text.replace("progname1,progname2", "theprogramname").replace("files=", "files=/a")
    world.put(MAIN, text)
    configuration = read(text, world)
    assert {group.name for group in configuration.groups} == {
        "thegroupname",
        "theeventlistenername",
        "thefcgiprogramname",
    }
    for kind in SECTIONS:
        for row in kind.options:
            assert f"{row.name}=" in text
