"""The client's XML-RPC codec, beside the standard library's."""

from __future__ import annotations

import datetime
import xmlrpc.client
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proctor.client.xmlrpc import dumps, loads
from proctor.core.faults import Fault

# What XML can carry, and what survives its reading of line ends.
_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"))
_NUMBER = st.integers(-(2**31), 2**31 - 1)
_SCALAR = st.one_of(_TEXT, _NUMBER, st.booleans(), st.floats(allow_nan=False, allow_infinity=False))
_VALUE = st.recursive(
    _SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.one_of(_TEXT, _NUMBER, st.booleans())), _TEXT)
def test_calls_arrive_as_they_were_meant(parameters: list[Any], method: str) -> None:
    """The standard library reads back what we write."""
    assert xmlrpc.client.loads(dumps(method, tuple(parameters)).decode()) == (
        tuple(parameters),
        method,
    )


@given(_VALUE)
def test_answers_are_read_as_they_were_meant(value: Any) -> None:
    """We read back what the standard library writes."""
    assert loads(xmlrpc.client.dumps((value,), methodresponse=True).encode()) == value


def test_the_rarer_types() -> None:
    """base64 as bytes, dates as text, nil as None, a value without a type as text."""
    rare = [b"\x00\xff", xmlrpc.client.DateTime(datetime.datetime(2026, 1, 2, 3, 4, 5)), None]
    data = xmlrpc.client.dumps((rare,), methodresponse=True, allow_none=True).encode()
    assert loads(data) == [b"\x00\xff", "20260102T03:04:05", None]
    bare = (
        b"<methodResponse><params><param><value>just text</value></param></params></methodResponse>"
    )
    assert loads(bare) == "just text"


def test_a_fault_keeps_its_code_and_its_text() -> None:
    """Also with a code nobody has heard of."""
    for code, text in ((10, "BAD_NAME: grüße"), (4711, "whatever")):
        data = xmlrpc.client.dumps(xmlrpc.client.Fault(code, text), methodresponse=True).encode()
        with pytest.raises(Fault) as caught:
            loads(data)
        assert (caught.value.code, caught.value.text, str(caught.value)) == (code, text, text)


def test_control_characters_do_not_make_a_log_unreadable() -> None:
    """The original sends log text as it is; XML forbids ESC and NUL (gotcha G5)."""
    answer = "<methodResponse><params><param><value><string>{}</string></value></param></params>"
    data = (answer.format("\x1b[31mred\x00") + "</methodResponse>").encode()
    assert loads(data) == "?[31mred?"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense",
        b"<methodResponse><params></params></methodResponse>",
        b"<methodResponse><params><param><value><string>cut",
        b"<methodResponse><params><param><value><int>x</int></value></param></params></methodResponse>",
        b"<methodResponse><fault><value><int>1</int></value></fault></methodResponse>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><methodResponse><params><param><value>&a;</value></param>'
        b"</params></methodResponse>",
    ],
)
def test_what_is_no_answer_is_a_value_error(data: bytes) -> None:
    """A document type, above all, is refused: no entity can be defined."""
    with pytest.raises(ValueError, match=r"."):
        loads(data)


def test_surrogates_of_arguments_do_no_harm() -> None:
    """Under LC_ALL=C an argument that is no UTF-8 holds lone surrogates; XML cannot."""
    (parameters, _) = xmlrpc.client.loads(dumps("m", ("a\udcff",)).decode())
    assert parameters == ("a?",)
