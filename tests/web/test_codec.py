"""XML-RPC text and values: what xmlrpc.client writes we read, what we write it reads."""

from __future__ import annotations

import xmlrpc.client
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proctor.core.info import ActionResult, ProcessInfo
from proctor.web import codec
from proctor.web.codec import Malformed, decode_call, encode_fault, encode_result
from webhost import a_call, an_info


def decoded(value: str) -> object:
    return decode_call(a_call("a.b", value))[1][0]


def read_back(data: bytes) -> object:
    parameters, _ = xmlrpc.client.loads(data)
    return parameters[0]


@pytest.mark.parametrize(
    ("xml", "value"),
    [
        ("<int>5</int>", 5),
        ("<i4> -5 </i4>", -5),
        ("<boolean>1</boolean>", True),
        ("<boolean>0</boolean>", False),
        ("<string>a&lt;b</string>", "a<b"),
        ("plain", "plain"),
        ("", ""),
        ("<string></string>", ""),
        ("<double>1.5</double>", 1.5),
        ("<base64>5Lit5paH</base64>", "中文"),
        (
            "<dateTime.iso8601>20261121T00:33:40</dateTime.iso8601>",
            datetime(2026, 11, 21, 0, 33, 40),
        ),
        ("<array><data/></array>", []),
        ("<array><data><value>a</value> <value><int>1</int></value></data></array>", ["a", 1]),
        ("<struct/>", {}),
        (
            "<struct><member><name>a</name><value><struct><member><name>b</name><value>c</value>"
            "</member></struct></value></member></struct>",
            {"a": {"b": "c"}},
        ),
    ],
)
def test_every_type_is_read(xml: str, value: object) -> None:
    """Source: compat xmlrpc.md, section 3."""
    assert decoded(xml) == value


def test_a_call_without_params_or_name_is_read() -> None:
    """Missing <params> is fine; whether a name is needed is for others to say."""
    assert decode_call(b"<methodCall><methodName> a.b </methodName></methodCall>") == ("a.b", [])
    assert decode_call(b"<methodCall/>") == (None, [])


def test_other_encodings_are_read() -> None:
    """PHP's xmlrpc extension says ISO-8859-1 unless told otherwise."""
    text = "<?xml version='1.0' encoding='iso-8859-1'?>" + a_call("a.b", "Käse").decode()
    assert decode_call(text.encode("latin-1"))[1] == ["Käse"]


DEEP = "<array><data><value>" * 60 + "</value></data></array>" * 60
BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<methodCall><methodName>&b;</methodName></methodCall>"
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"junk",
        b"<methodCall>",
        BOMB.encode(),
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><methodCall/>',
        b"<?xml-stylesheet href='x'?><methodCall/>",
        b"<methodCall>&unknown;</methodCall>",
        b"<methodResponse/>",
        b"<methodCall><value/></methodCall>",
        b"<?xml version='1.0' encoding='zlib'?><methodCall/>",
        b"<?xml version='1.0' encoding='nonsense'?><methodCall/>",
        a_call("a.b", "<int>five</int>"),
        a_call("a.b", "<int>" + "9" * 5000 + "</int>"),
        a_call("a.b", "<base64>5</base64>"),
        a_call("a.b", "<base64>/w==</base64>"),
        a_call("a.b", "<double>x</double>"),
        a_call("a.b", "<dateTime.iso8601>today</dateTime.iso8601>"),
        a_call("a.b", "<int>1</int><int>2</int>"),
        a_call("a.b", "<array/>"),
        a_call("a.b", "<array><data/><data/></array>"),
        a_call("a.b", "<struct><member><name>a</name></member></struct>"),
        a_call("a.b", "<struct><member><value>a</value></member></struct>"),
        a_call("a.b", "</value><value>"),
        a_call("a.b", "<nil/>"),
        a_call("a.b", DEEP),
    ],
)
def test_what_is_not_a_call_is_refused(body: bytes) -> None:
    """Scenario 18: entity bombs, deep nesting and plain nonsense."""
    with pytest.raises(Malformed):
        decode_call(body)


def test_too_many_elements_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight megabytes of <i4/> would make millions of objects."""
    monkeypatch.setattr(codec, "MAX_ELEMENTS", 100)
    with pytest.raises(Malformed):
        decode_call(a_call("a.b", "<array><data>" + "<value/>" * 100 + "</data></array>"))


VALUES = st.recursive(
    st.text() | st.integers(-(2**31), 2**31 - 1) | st.booleans() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def readable(value: object) -> object:
    """What XML can carry of a value."""
    if isinstance(value, str):
        text = "".join("\ufffd" if codec._ILLEGAL.match(char) else char for char in value)
        return text
    if isinstance(value, list):
        return [readable(item) for item in value]
    if isinstance(value, dict):
        return {readable(key): readable(item) for key, item in value.items()}
    return value


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_whatever_we_write_a_foreign_client_reads(value: object) -> None:
    """Always valid XML; characters that it cannot carry are replaced, all others survive."""
    assert read_back(encode_result(value)) == readable(value)


@settings(max_examples=200, deadline=None)
@given(st.lists(VALUES, max_size=4).map(tuple))
def test_whatever_a_foreign_client_writes_we_read(values: tuple[object, ...]) -> None:
    """xmlrpc.client does not escape what XML cannot carry: then both sides refuse."""
    body = xmlrpc.client.dumps(values, "a.b")  # type: ignore[arg-type]
    try:
        expected, _ = xmlrpc.client.loads(body)
    except Exception:
        with pytest.raises(Malformed):
            decode_call(body.encode("utf-8", "surrogatepass"))
        return
    assert decode_call(body.encode()) == ("a.b", list(expected))


_FRAGMENTS = """
    <methodCall> </methodCall> <methodName> </methodName> <params> </params> <param> </param>
    <value> </value> <int> </int> <string> </string> <array> </array> <data> </data> <struct>
    </struct> <member> </member> <name> </name> <base64> </base64> <boolean> </boolean> <double>
    </double> 1 x &amp; &lt; &#0; &#55296; ]]> <![CDATA[ <!-- --> <?x?> <!DOCTYPE"""
FRAGMENTS = st.sampled_from(_FRAGMENTS.split())


@settings(max_examples=300, deadline=None)
@given(st.lists(FRAGMENTS, max_size=30).map("".join).map(str.encode) | st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Nothing but Malformed ever comes out, whatever goes in."""
    try:
        name, parameters = decode_call(body)
    except Malformed:
        return
    assert name is None or isinstance(name, str)
    assert isinstance(parameters, list)


def test_a_fault_is_laid_out_as_in_the_original() -> None:
    """Byte for byte: some clients look for strings."""
    assert encode_fault(10, "BAD_NAME: nope").decode() == (
        "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n<member>\n"
        "<name>faultCode</name>\n<value><int>10</int></value>\n</member>\n<member>\n"
        "<name>faultString</name>\n<value><string>BAD_NAME: nope</string></value>\n</member>\n"
        "</struct></value>\n</fault>\n</methodResponse>\n"
    )


def test_a_process_is_a_struct_with_its_keys_in_order() -> None:
    """The template of the fast path says what the value says."""
    info = an_info("cat")
    struct = read_back(encode_result(info))
    assert struct == info.as_struct()
    assert list(struct) == list(ProcessInfo.__dataclass_fields__)


def test_odd_names_of_processes_are_escaped() -> None:
    """Names may contain anything but blanks, colons and slashes."""
    infos = [an_info("a<b>&c"), an_info("猫", spawnerr="bad\x1b[0m\r\nthing")]
    structs = read_back(encode_result(infos))
    assert isinstance(structs, list)
    assert [struct["name"] for struct in structs] == ["a<b>&c", "猫"]
    assert structs[1]["spawnerr"] == "bad\ufffd[0m\r\nthing"


def test_an_action_result_is_a_struct() -> None:
    """Source: compat xmlrpc.md, section 8."""
    assert read_back(encode_result([ActionResult("a", "g")])) == [
        {"name": "a", "group": "g", "status": 80, "description": "OK"}
    ]


def test_what_only_plug_ins_return_is_written_too() -> None:
    """bytes, dates, tuples and xmlrpc.client's own wrappers."""
    when = datetime(2026, 11, 21, 0, 33, 40)
    value = (b"\x00\xff", when, xmlrpc.client.Binary(b"x"), 1.5)
    back = read_back(encode_result(value))
    assert back == [b"\x00\xff", "20261121T00:33:40", b"x", 1.5]


@pytest.mark.parametrize("value", [None, object(), {1: 2}, [None]])
def test_what_xmlrpc_cannot_say_is_a_type_error(value: object) -> None:
    """None has no form in XML-RPC."""
    with pytest.raises(TypeError):
        encode_result(value)
