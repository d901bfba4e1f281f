"""Files: where they are, how they are decoded, what an include may and may not lose."""

from __future__ import annotations

import pytest

from config.a_world import MAIN, START, AWorld, mistake, read, warnings
from proctor.config.commandline import Overrides
from proctor.config.load import load
from proctor.config.problems import ConfigError

INCLUDE = START + "[include]\nfiles = conf.d/*.ini    ; more\n"
PROGRAM = "[program:x]\ncommand=c\n"


def test_includes_are_read_in_sorted_order_and_the_last_option_wins() -> None:
    configuration = read(INCLUDE + PROGRAM, b="[program:x]\ncommand=b\n", a=PROGRAM)
    assert configuration.groups[0].processes[0].command == "b"
    assert configuration.files == (MAIN, "/etc/conf.d/a.ini", "/etc/conf.d/b.ini")
    assert configuration.includes == {
        "/etc/conf.d/*.ini": ("/etc/conf.d/a.ini", "/etc/conf.d/b.ini")
    }
    assert [(note.level, note.text) for note in configuration.notes if note.level == "info"] == [
        ("info", 'Included extra file "/etc/conf.d/a.ini" during parsing'),
        ("info", 'Included extra file "/etc/conf.d/b.ini" during parsing'),
    ]


def test_an_include_may_extend_any_section_but_not_include() -> None:
    world = AWorld()
    world.put("/tmp/z.ini", "[program:z]\ncommand=c\n")
    more = "[supervisord]\nidentifier=me\n[include]\nfiles=/tmp/*.ini\n"
    configuration = read(INCLUDE, world, a=more)
    assert configuration.daemon.identifier == "me"
    assert configuration.groups == ()


def test_an_include_that_matches_nothing_is_a_warning() -> None:
    """Seed B1."""
    said = 'No file matches via include "/etc/conf.d/*.ini"'
    assert warnings(read(INCLUDE)) == [said]


def test_a_match_that_cannot_be_read_is_a_warning() -> None:
    """Gotcha G49."""
    world = AWorld(unreadable={"/etc/conf.d/a.ini"})
    said = "could not read included file /etc/conf.d/a.ini: Permission denied"
    assert warnings(read(INCLUDE, world, a=PROGRAM)) == [said]


def test_a_reread_refuses_when_the_include_directory_has_gone() -> None:
    """Scenario row 3: the original stopped and removed every program."""
    world = AWorld()
    before = read(INCLUDE, world, a=PROGRAM)
    del world.files["/etc/conf.d/a.ini"]
    with pytest.raises(ConfigError) as refused:
        load(MAIN, Overrides(), world, before)
    assert refused.value.text == 'No file matches via include "/etc/conf.d/*.ini"'
    assert "/etc/conf.d/a.ini" in str(refused.value)


def test_a_reread_accepts_that_the_pattern_itself_was_taken_out() -> None:
    world = AWorld()
    before = read(INCLUDE, world, a=PROGRAM)
    world.put(MAIN, START)
    assert load(MAIN, Overrides(), world, before).groups == ()


def test_a_reread_accepts_that_one_of_several_files_went() -> None:
    world = AWorld()
    before = read(INCLUDE, world, a=PROGRAM, b=PROGRAM.replace(":x", ":y"))
    del world.files["/etc/conf.d/a.ini"]
    assert [group.name for group in load(MAIN, Overrides(), world, before).groups] == ["y"]


def test_a_reread_refuses_an_include_that_cannot_be_read() -> None:
    """Scenario row 2."""
    world = AWorld()
    before = read(INCLUDE, world, a=PROGRAM)
    world.unreadable.add("/etc/conf.d/a.ini")
    with pytest.raises(ConfigError):
        load(MAIN, Overrides(), world, before)


def test_a_file_that_is_missing_or_unreadable_is_refused_by_name() -> None:
    world = AWorld()
    with pytest.raises(ConfigError) as missing:
        load("/nope", Overrides(), world)
    assert missing.value.text == "could not find config file /nope"
    world.unreadable.add(MAIN)
    assert mistake(START, world) == f"could not read config file {MAIN}"


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf[supervisord]\nidentifier=\xe4\xb8\xad ;\xe6\x97\xa5\n",
        b"[supervisord]\r\nidentifier=\xe4\xb8\xad ;\xe6\x97\xa5\r\n",
    ],
)
def test_utf_8_is_read_whatever_the_locale_with_and_without_a_mark(data: bytes) -> None:
    """Gotcha G48, seed F1."""
    world = AWorld(files={MAIN: data}, encoding="ascii")
    assert load(MAIN, Overrides(), world).daemon.identifier == "中"


def test_other_encodings_are_those_of_the_locale_and_then_latin_1() -> None:
    data = "[supervisord]\nidentifier=中".encode("gbk")
    chinese = AWorld(files={MAIN: data}, encoding="gbk")
    assert load(MAIN, Overrides(), chinese).daemon.identifier == "中"
    configuration = load(MAIN, Overrides(), AWorld(files={MAIN: data}))
    assert configuration.daemon.identifier == "ÖÐ"
    assert "read as Latin-1" in warnings(configuration)[0]


def test_chinese_comments_with_brackets_percents_and_dollars_are_harmless() -> None:
    """Seeds B2 and E2."""
    text = (
        "[unix_http_server]          ; supervisord 的 [unix]\nfile=/tmp/s ;(套接字, %(x)s $HOME)\n"
        "[supervisord]                ; 服务\nlogfile=/tmp/l ;日志文件,默认是 $CWD/100%\n"
    )
    configuration = read(text)
    assert configuration.servers[0].file == "/tmp/s"
    assert configuration.daemon.logfile == "/tmp/l"
