"""The keeper's own way to JSON, signals and sockets does what the public modules do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import proctor
from proctor.keeper.thin import dumps, loads

SOURCE = str(Path(proctor.__file__).parents[1])

# Half a character too: a command line may hold any bytes (surrogateescape).
TEXTS = st.text(st.characters(exclude_categories=()), max_size=20)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(TEXTS, inner),
)


@given(PLAIN)
def test_it_is_the_json_of_json(value: object) -> None:
    """What one writes the other reads: older and newer keepers and daemons meet."""
    text = json.dumps(value, separators=(",", ":"))
    assert dumps(value) == text
    assert loads(text.encode()) == json.loads(text)
    spaced = json.dumps({"a": value}, indent=1).encode()
    assert loads(b" " + spaced + b"\r\n") == json.loads(spaced)


def test_numbers_that_are_none() -> None:
    """As `json` writes and reads them."""
    assert dumps([float("nan"), float("-inf")]) == "[NaN,-Infinity]"
    assert str(loads(b"[NaN, -Infinity, Infinity]")) == "[nan, -inf, inf]"


@pytest.mark.parametrize(
    "data", [b"", b" ", b"[", b"[1] 2", b"nul", b"\xff", b'"\n"', b'{"a"}', b"[1,]", b"{1:2}"]
)
def test_nonsense_is_a_value_error(data: bytes) -> None:
    """Of one kind, whatever is wrong with it."""
    with pytest.raises(ValueError):  # noqa: PT011  its words are nobody's business
        loads(data)


def test_what_is_no_json_is_refused_and_leaves_nothing_behind() -> None:
    """The same value again is as wrong as the first time, not "circular"."""
    wrong = [b"bytes"]
    for _ in range(2):
        with pytest.raises(TypeError, match="bytes is not JSON serializable"):
            dumps(wrong)
    assert dumps([]) == "[]"


WITHOUT_C = """\
import sys
sys.path.append(sys.argv[1])
import json, signal, socket
for name in ("_json", "_signal", "_socket"):
    sys.modules[name] = None
from proctor.keeper import loop, thin
from proctor.keeper.protocol import Wire
assert (thin.signals, thin.sockets) == (signal, socket)
one, two = (Wire(sock) for sock in thin.sockets.socketpair())
one.queue("kind", {"text": "\\udcff\\u20ac"}, [0, 1])
one.flush()
(message,) = two.receive()
print(ascii([message.kind, message.fields, len(message.fds)]), thin.dumps([1, 2]))
"""

WRONG_C = """\
import sys
sys.path.append(sys.argv[1])
import _json, json
_json.make_encoder = lambda: None
from proctor.keeper import thin
print(thin.dumps([1, {"a": 2}]), thin.loads(b"[1]"))
"""


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (WITHOUT_C, "['kind', {'text': '\\udcff\\u20ac'}, 2] [1,2]\n"),
        (WRONG_C, '[1,{"a":2}] [1]\n'),
    ],
    ids=["without", "wrong"],
)
def test_it_does_without_private_modules(code: str, said: str) -> None:
    """Where there are none, or others than we know."""
    command = [sys.executable, "-I", "-S", "-c", code, SOURCE]
    done = subprocess.run(command, capture_output=True, text=True, encoding="ascii")
    assert done.stdout == said, done.stdout + done.stderr
