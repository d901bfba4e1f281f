"""The command line of supervisorctl, in the original's words."""

from __future__ import annotations

import pytest

from proctor.cli.main import supervisorctl
from proctor.cli.options import UsageError, parse


@pytest.mark.parametrize(
    ("words", "values", "action"),
    [
        ("", {}, ""),
        ("status", {}, "status"),
        ("-c f status -x", {"configuration": "f"}, "status -x"),
        ("-cf -i", {"configuration": "f", "interactive": ""}, ""),
        ("-is unix:///x", {"interactive": "", "serverurl": "unix:///x"}, ""),
        ("--serverurl=http://x pid", {"serverurl": "http://x"}, "pid"),
        ("--server http://x pid", {"serverurl": "http://x"}, "pid"),
        ("--s http://x pid", {"serverurl": "http://x"}, "pid"),
        ("-u me -p secret", {"username": "me", "password": "secret"}, ""),
        ("--history_file h", {"history_file": "h"}, ""),
        ("--hist h", {"history_file": "h"}, ""),
        ("-- -x", {}, "-x"),
        ("-h", {"help": ""}, ""),
        ("-? --help", {"help": ""}, ""),
    ],
)
def test_what_is_understood(words: str, values: dict[str, str], action: str) -> None:
    """Short, long, shortened and joined; parsing stops at the action."""
    line = parse(words.split())
    assert line.values == values
    assert line.action == action.split()


def test_both_spellings_of_the_history_file() -> None:
    """The original's help shows a spelling that it rejects (gotcha G89)."""
    assert parse(["--history-file=h"]).values == {"history_file": "h"}
    assert parse(["--history-file", "h"]).values == {"history_file": "h"}
    assert parse(["-p", "x--history-file"]).values == {"password": "x--history-file"}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("--foo", "option --foo not recognized"),
        ("--urername x", "option --urername not recognized\n  hint: did you mean --username?"),
        ("--confg f", "option --confg not recognized\n  hint: did you mean --configuration?"),
        ("-x", "option -x not recognized"),
        ("-ifoo", "option -f not recognized"),
        ("-c", "option -c requires argument"),
        ("--username", "option --username requires argument"),
        ("--h", "option --h not a unique prefix"),
        ("--interactive=3", "option --interactive must not have an argument"),
        ("-i -i", "conflicting command line option '-i'"),
        ("-i --interactive", "conflicting command line option '--interactive'"),
        ("-s foo", "invalid value for -s 'foo': value 'foo' is not a URL"),
        ("--serverurl=unix:", "invalid value for --serverurl 'unix:': value 'unix:' is not a URL"),
        ("-s http://", "invalid value for -s 'http://': value 'http://' is not a URL"),
        ("-s 1://b", "invalid value for -s '1://b': value '1://b' is not a URL"),
    ],
)
def test_what_is_not(words: str, complaint: str) -> None:
    """The first line of what the user sees, behind `Error: `."""
    with pytest.raises(UsageError) as caught:
        parse(words.split())
    assert str(caught.value) == complaint


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    """Two lines, as for any other mistake of the command line."""
    assert supervisorctl(["ctl", "-c", "/nope", "status"]) == 2
    assert capsys.readouterr().err == (
        "Error: could not find config file /nope\nFor help, use ctl -h\n"
    )
