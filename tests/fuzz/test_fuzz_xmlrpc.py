"""Any call, well-formed or not: an answer or a fault, never a bug (HTTP 500)."""

from __future__ import annotations

import asyncio
import contextlib
import string

from hypothesis import given, settings
from hypothesis import strategies as st

from proctor.api.service import Service
from proctor.core.faults import Fault
from proctor.web.codec import Malformed, decode_call, encode_result
from proctor.web.methods import METHODS
from proctor.web.xmlrpc import Namespace, ServiceNamespace, SystemNamespace, dispatch
from webhost import FakeService, a_call

NAMES = st.sampled_from([*(f"supervisor.{name}" for name in METHODS), "system.listMethods"])
ODD_NAMES = st.text(string.ascii_letters + "._", max_size=30) | st.sampled_from(
    ["supervisor.__class__", "supervisor._service", "system.multicall", "system.__init__", "..", ""]
)
SCALARS = st.text(max_size=20) | st.integers() | st.booleans() | st.floats() | st.none()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
# It would wait for the test to let it go, or fail on purpose.
NOT_FOR_US = ("slow", "bug")


def answered(name: str, parameters: list[object]) -> object:
    """The result, or the Fault; anything else is raised."""
    if any(value in NOT_FOR_US for value in parameters if isinstance(value, str)):
        return None
    ours = ServiceNamespace(FakeService())
    namespaces: dict[str, Namespace] = {"supervisor": ours}
    namespaces["system"] = SystemNamespace(namespaces)
    try:
        return asyncio.run(dispatch(namespaces, name, parameters))
    except Fault as fault:
        return fault


@settings(max_examples=100)
@given(NAMES, st.lists(VALUES, max_size=4))
def test_parameters_of_any_number_and_type_are_taken_or_refused(
    name: str, parameters: list[object]
) -> None:
    """What the Service gets is what its types promise."""
    result = answered(name, parameters)
    assert isinstance(result, Fault) or encode_result(result)


@settings(max_examples=100)
@given(ODD_NAMES)
def test_only_names_of_the_table_are_methods(name: str) -> None:
    """Underscores, dots and attributes lead nowhere."""
    space, _, method = name.partition(".")
    result = answered(name, [])
    if space != "supervisor" or method not in METHODS:
        known = space == "system" and method in ("listMethods", "methodHelp", "methodSignature")
        assert isinstance(result, Fault) or known


TOKENS = st.sampled_from(
    [
        *("<!DOCTYPE a [<!ENTITY b 'c'>]>", "<?x y?>", "&b;", "&#0;", "]]>", "<!--", "<![CDATA["),
        *("<value>", "</value>", "<int>", "<int>9e9</int>", "<base64>*</base64>", "<struct>"),
        *("<double>nan</double>", "<nil/>", "\ud800"),
        "<dateTime.iso8601>20260101T25:00:00</dateTime.iso8601>",
    ]
)


@settings(max_examples=100)
@given(st.integers(0, 200), st.lists(TOKENS, min_size=1, max_size=4).map("".join), st.booleans())
def test_a_call_with_anything_put_into_it_is_read_or_malformed(
    where: int, token: str, replace: bool
) -> None:
    """Nothing is expanded, and nothing but Malformed comes out."""
    body = a_call(
        "supervisor.startProcess", "<string>cat</string>", "<boolean>1</boolean>"
    ).decode()
    rest = body[where + len(token) :] if replace else body[where:]
    with contextlib.suppress(Malformed):
        decode_call((body[:where] + token + rest).encode("utf-8", "surrogatepass"))


def test_the_service_has_what_the_fake_answers() -> None:
    """Else the fuzzing would be of the fake alone."""
    assert all(hasattr(Service, method.verb) for method in METHODS.values())
