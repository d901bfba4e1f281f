"""Scenarios F of compat/seeds.md: Chinese text everywhere, and the current directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.daemon import Launch, run
from support.implementations import Implementation
from support.programs import program
from support.rpc import raw
from support.waiting import until

CHINESE = "爬虫"
TEXT = "你好，世界\n"


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1"])
def test_f1_chinese_comments_in_any_locale(
    launch: Launch, ours: Implementation, locale: str
) -> None:
    """The file is read as UTF-8 whatever the locale says; even with UTF-8 mode switched off."""
    programs = "; 中文注释\n" + program("cat", autostart="false")
    environment = {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    daemon = launch(ours, programs, environment=environment)
    assert daemon.client.states() == {"cat:cat": "STOPPED"}


def test_f2_tail_may_cut_characters(launch: Launch, ours: Implementation) -> None:
    """Any number of bytes can be asked for; a cut character is left out."""
    programs = program(
        CHINESE, f"/bin/sh -c 'printf \"{TEXT.strip()}\\n\"; exec cat'", redirect_stderr="true"
    )
    daemon = launch(ours, programs)
    whole = daemon.call
    until(lambda: whole("supervisor.readProcessLog", CHINESE, 0, 0) == TEXT, "the text is logged")
    for count in range(1, len(TEXT.encode()) + 2):
        answer = daemon.ctl("tail", f"-{count}", CHINESE)
        assert answer.code == 0, answer
        assert TEXT.endswith(answer.out.removesuffix("\n")) or answer.out.strip() in TEXT
        text = daemon.call("supervisor.readProcessStdoutLog", CHINESE, 0, count)
        assert TEXT.startswith(text)


def test_f3_chinese_names(launch: Launch, ours: Implementation) -> None:
    """Status, start and stop of a process and of a group, the page and a followed log."""
    programs = program(CHINESE) + program("一") + program("二") + "[group:组]\nprograms=一,二\n"
    daemon = launch(ours, programs)
    for name in (CHINESE, "组:一", "组:二"):
        daemon.until_state(name, "RUNNING")
    lines = daemon.ctl("status").lines
    assert [line.split()[:2] for line in lines] == [
        [CHINESE, "RUNNING"],
        ["组:一", "RUNNING"],
        ["组:二", "RUNNING"],
    ]
    assert daemon.ctl("stop", CHINESE).lines == [f"{CHINESE}: stopped"]
    assert sorted(daemon.ctl("stop", "组:*").lines) == ["组:一: stopped", "组:二: stopped"]
    assert sorted(daemon.ctl("start", "组:*").lines) == ["组:一: started", "组:二: started"]
    assert daemon.ctl("start", CHINESE).lines == [f"{CHINESE}: started"]
    assert daemon.call("supervisor.stopProcessGroup", "组")[0]["group"] == "组"
    page = raw(daemon.socket, b"GET / HTTP/1.0\r\n\r\n").decode()
    assert CHINESE in page
    daemon.call("supervisor.sendProcessStdin", CHINESE, TEXT)
    path = "/logtail/%E7%88%AC%E8%99%AB"
    asked = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    assert TEXT.encode() in raw(daemon.socket, asked, enough=TEXT.encode())


def test_f4_both_find_the_file_in_the_current_directory(
    launch: Launch, either: Implementation, scratch: Path
) -> None:
    """Neither needs -c."""
    daemon = launch(
        either, program("cat"), command=[either.program("supervisord")], arguments=("-n",)
    )
    answer = run([either.program("supervisorctl"), "pid"], cwd=daemon.directory)
    assert answer.out == f"{daemon.pid}\n"
