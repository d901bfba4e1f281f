"""Any configuration: it is taken, or refused with mistakes that can be printed; nothing else."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from config.a_world import MAIN, AWorld, read
from proctor.config.commandline import Overrides
from proctor.config.load import check_file
from proctor.config.options.all import SECTIONS
from proctor.config.problems import ConfigError

NAMES = st.sampled_from(["a", "web", "a b", "x:y", "", "猫", "a" * 300])
VALUES = st.sampled_from(
    [
        "", "0", "-1", "1", "10", "99999999999999999999", "1e9", "true", "maybe", "/tmp/x",
        "/nope/x", "AUTO", "NONE", "syslog", "web", "web,a", "root", "nobody", "TERM", "SIGNOPE",
        "%", "%%", "%(here)s", "%(nope)s", "%(ENV_HOME)s", "%(process_num)02d",
        "%(process_num)999999999d", "%s", "%(", "A=1,B='2", 'A="x"', "cat -n 'x", "cat", "1KB",
        "0x10", "0o22", "888", "127.0.0.1:1", "[::1]:9", "[::", ":::", "unix:///tmp/s",
        "tcp://x:1", "tcp://[", "a:b", "*", "**", "[", "\\", "scrypt$", "{SHA}", "view",
        "root=admin", "@staff=view+logs", "@", "=", "2030-01-01", "x" * 5000, "EVENT",
        "PROCESS_STATE", "TICK_5", "NOPE", "; comment", "a ;b", "a;b", "\n b", "\n[x]",
    ]
)  # fmt: skip
OPTIONS = {kind.name: [row.name for row in kind.options] or ["x"] for kind in SECTIONS}


@st.composite
def sections(draw: st.DrawFn) -> str:
    """A section with options of its own or of any other, set to anything."""
    kind = draw(st.sampled_from(sorted(OPTIONS)))
    name = kind + draw(NAMES) if kind.endswith(":") else kind
    known = st.sampled_from(OPTIONS[kind])
    lines = draw(st.lists(st.tuples(known | st.just("nonsense"), VALUES), max_size=6))
    body = "".join(f"{option}={value}\n" for option, value in lines)
    command = "command=cat\n" if "command" in OPTIONS[kind] and draw(st.booleans()) else ""
    return f"[{name}]\n{command}{body}"


def told_by_reading(text: str, world: AWorld) -> list[str] | None:
    """The mistakes of a file, the whole report first; None when it has none."""
    try:
        read(text, world)
    except ConfigError as error:
        return [str(error), *(problem.text for problem in error.problems)]
    return None


@settings(max_examples=150)
@given(st.lists(sections(), max_size=5).map("".join))
def test_any_file_is_read_or_refused_with_its_mistakes(text: str) -> None:
    """Also for tools, as JSON, and on a terminal that knows only ASCII."""
    world = AWorld()
    said = told_by_reading("[supervisord]\n" + text, world)
    good = said is None
    assert good or (said and all(line.strip() for line in said))
    told, verdict = check_file(MAIN, Overrides(), world, as_json=True)
    assert json.loads(told)["ok"] is verdict is good
    check_file(MAIN, Overrides(), world, as_json=False, encoding="ascii")
