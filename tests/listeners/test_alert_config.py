"""The configuration of alerts, its mistakes, and what messages look like."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from proctor.config.problems import ConfigError
from proctor.config.world import RealWorld
from proctor.listeners import alert_config
from proctor.listeners.alert_config import Settings
from proctor.listeners.alert_terms import Kind, Notice, Quiet
from proctor.listeners.alert_texts import LANGUAGES, Style, compose, duration
from support.daemon import run
from support.implementations import Implementation

# Of the standard library, when apprise loads its services.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")

NOON = 1_750_000_000.0


def loaded(text: str, tmp_path: Path, *flags: str) -> Settings:
    """The settings of a file and a command line."""
    parser = argparse.ArgumentParser()
    alert_config.add_flags(parser)
    path = tmp_path / "alerts.conf"
    path.write_text(text, encoding="utf-8")
    name = str(path) if text else None
    return alert_config.load(name, parser.parse_args(flags), RealWorld())


def mistakes(text: str, tmp_path: Path, *flags: str) -> list[str]:
    """What is wrong, without the directory."""
    with pytest.raises(ConfigError) as caught:
        loaded(text, tmp_path, *flags)
    return [each.render().replace(f"{tmp_path}/", "") for each in caught.value.problems]


def test_one_section_is_enough(tmp_path: Path) -> None:
    """With a channel in each line; the rest has defaults."""
    settings = loaded("[alerts]\nchannels=\n  http://h/x\n  command: tell me\n", tmp_path)
    (rule,) = settings.rules
    assert [channel.shown for channel in rule.channels] == ["webhook h", "command tell"]
    assert rule.rule.kinds == frozenset(Kind)
    assert settings.queue == f"{tmp_path}/alerts.conf.queue"


def test_rules_take_over_what_they_do_not_say(tmp_path: Path) -> None:
    """All but the channels; a section may stand in a file of others."""
    settings = loaded(
        """[supervisord]
nodaemon=true
[alerts]
quiet=22:00-7:30
lang=zh
batch=1m
[alerts:web]
channels=http://h/%(ENV_PATH)s%%40
programs=web*, api:*
kinds=fatal
lang=en
""",
        tmp_path,
        "--steady",
        "5",
        "--flapping=3/2h",
    )
    (rule,) = settings.rules
    assert (rule.rule.name, rule.rule.batch, rule.rule.quiet) == (
        "alerts:web", 60.0, Quiet(22 * 60, 7 * 60 + 30),
    )  # fmt: skip
    assert rule.rule.programs == ("web*", "api:*")
    assert rule.style.language == "en"
    patience = settings.patience
    assert (patience.failures, patience.window, patience.steady) == (3, 7200, 5)


def test_a_command_line_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Percent signs are what they are: supervisord has been over them."""
    monkeypatch.setenv("SUPERVISOR_PROCESS_NAME", "bell")
    flags = ("--channel", "http://h/a%40b", "--channel", "command:x", "--lines", "3")
    settings = loaded("", tmp_path, *flags)
    assert len(settings.channels) == 2
    assert settings.rules[0].style.lines == 3
    assert settings.queue.endswith("/proctor/bell")


def test_mistakes_say_where_and_what_instead(tmp_path: Path) -> None:
    """All of them, at once."""
    text = """[alerts]
chanels = http://h/
kinds = fatle
quiet = 25:00-7:00
batch = soon
lang = fr
text = {proces} is in trouble
lines = many
[alerts:x]
channels = jsno://x
steady = 3
"""
    found = mistakes(text, tmp_path)
    assert found[0].startswith(
        "no option is called 'chanels'\n  at alerts.conf:2 [alerts] chanels\n  hint: did you mean"
        " channels?"
    )
    assert [re.search(r"alerts.conf:\d+", each).group() for each in found] == [  # type: ignore[union-attr]
        f"alerts.conf:{line}" for line in (2, 3, 5, 4, 6, 7, 8, 11, 10)
    ]
    told = "\n".join(found)
    for hint in ("did you mean fatal?", "did you mean process?", "did you mean json://?"):
        assert hint in told


def test_a_mistake_in_a_channel_is_said_at_its_own_line(tmp_path: Path) -> None:
    """Each of them; a comment between them counts as a line, and no secret is told."""
    text = "[alerts]\nchannels =\n  jsno://secret\n  # a=b\n\n  command:\n  secret@x/y\n"
    expected = "  expected a URL or command:... in each line"
    form = "a channel is command:..., http(s)://... or a URL of apprise"
    assert mistakes(text, tmp_path) == [
        f"jsno: no service is called jsno://; did you mean json://?\n  at alerts.conf:3 [alerts]"
        f" channels\n{expected}",
        f"command: {form}\n  at alerts.conf:6 [alerts] channels\n{expected}",
        f"{form}\n  at alerts.conf:7 [alerts] channels\n{expected}",
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[alert]\nchannels=http://h/\n", r"did you mean \[alerts\]\?"),
        ("[alerts]\nchannels=http://h/\n[alert:x]\n", r":3 \[alert:x\]\n.*mean \[alerts:x\]\?"),
        ("[alerts]\ntext=a\n  When: {whn}\n", r"^no field is called {whn}; did you.*\n.*\n.*}$"),
        ("[alerts]\n", "nothing to send to: no channels"),
        ("[alerts]\nchannels=http://h/\n[alerts:x]\n", r"\[alerts:x\] has no channels"),
        ("[alerts]\nchannels=http://h/%40\n", "write %% for a percent sign"),
        ("[alerts]\nflapping=3\n", "'3' is not failures/time"),
        ("[alerts]\nflapping=0/3\n", "'0' is not a number above 0"),
        ("[alerts]\nquiet=7:00-7:00\n", "is no time at all"),
        ("[alerts]\ntext={\n", "Single '{' encountered"),
        ("alerts\n", "no section headers"),
    ],
)
def test_other_mistakes(text: str, why: str, tmp_path: Path) -> None:
    """Each with a text that helps."""
    assert re.search(why, "\n".join(mistakes(text, tmp_path)))


def test_supervisord_leaves_the_sections_alone(tmp_path: Path, ours: Implementation) -> None:
    """They may stand in its file, and a slip of the pen is still noticed there."""
    path = tmp_path / "supervisord.conf"
    path.write_text("[supervisord]\n[alerts]\n[alerts:x]\n[alert]\n")
    answer = run([ours.program("proctor"), "check", str(path)])
    assert answer.code == 0
    assert [word for word in answer.out.split() if "alert" in word] == ["[alert]"]


def a_notice(kind: Kind, **more: object) -> Notice:
    """About web:web_0, three failures after a minute."""
    facts = {"status": "3", "stderr": "> oh\n> no"} if kind is not Kind.RECOVERED else {}
    values: dict[str, object] = {"restarts": 2, "count": 3, "uptime": 3661.0, "facts": facts}
    return Notice("alerts", "web:web_0", kind, NOON, NOON, NOON - 60, **{**values, **more})  # type: ignore[arg-type]


def test_a_text_in_english() -> None:
    """What is not known is not said."""
    title, text = compose(Style(), [a_notice(Kind.EXITED)], "host")
    assert title == "[host] web:web_0: exited unexpectedly"
    lines = text.splitlines()
    assert lines[0] == "web:web_0 exited unexpectedly"
    assert lines[1].startswith("When: 2025-06-")
    assert lines[2:] == [
        "End: exit status 3", "Uptime: 1:01:01", "Restarts so far: 2",
        "Failures in this incident: 3", "Last lines of stderr:", "> oh", "> no",
    ]  # fmt: skip
    _, over = compose(Style(), [a_notice(Kind.RECOVERED, uptime=None, count=1)], "host")
    assert over.splitlines()[2:] == ["Lasted: 0:01:00"]


def test_a_text_in_chinese() -> None:
    """Several are told under a title of their own."""
    killed = a_notice(Kind.EXITED, facts={"status": "-1", "signal": "SIGKILL"}, detail="why")
    title, text = compose(Style("zh"), [killed, a_notice(Kind.RECOVERED)], "host")
    assert title == "[host] 2 条告警\uff1aweb:web_0"
    lines = [line.partition("\uff1a")[2] for line in text.splitlines()]
    assert lines[2:6] == ["被信号 SIGKILL 终止", "why", "1:01:01", "2"]
    assert "\n\nweb:web_0 已恢复\n" in text


def test_a_template_of_ones_own() -> None:
    """Any field, anywhere."""
    style = Style(title="{name}!", text="{group} {kind}: {ended}\nbecause {reason}")
    assert compose(style, [a_notice(Kind.FATAL)], "h") == ("web_0!", "web fatal: exit status 3")


def test_languages_say_the_same() -> None:
    """Every language has every word, with the same fields."""
    words = [Style(language).words for language in LANGUAGES]
    for key, text in words[0].items():
        fields = sorted(re.findall(r"{\w*}", text))
        assert [sorted(re.findall(r"{\w*}", each[key])) for each in words] == [fields, fields]


def test_durations() -> None:
    """Also beyond a day, and never below nothing."""
    assert [duration(s) for s in (-1, 65, 90061)] == ["0:00:00", "0:01:05", "1d 1:01:01"]
