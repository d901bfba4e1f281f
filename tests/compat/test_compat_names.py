"""The distribution `supervisor`: names that listeners, clients and tools import."""

from __future__ import annotations

import io
import subprocess
import sys
from importlib.metadata import version

import pytest

from proctor.core.faults import FaultCode
from proctor.core.states import ListenerState, ProcessState, SupervisorState
from supervisor import childutils, datatypes, options, states
from supervisor.xmlrpc import Faults, RPCError, SupervisorTransport


def test_the_distribution_satisfies_requirements() -> None:
    """`supervisor>=3.0` and `supervisor==4.3.0` are met."""
    assert version("supervisor").startswith("4.3.0+proctor.")


def test_codes_are_the_daemons() -> None:
    """Every state and fault code has its name here."""
    for kind, names in (
        (ProcessState, states.ProcessStates),
        (SupervisorState, states.SupervisorStates),
        (ListenerState, states.EventListenerStates),
        (FaultCode, Faults),
    ):
        assert {one.name: int(one) for one in kind} == {
            name: code for name, code in vars(names).items() if not name.startswith("_")
        }
    assert states.getProcessStateDescription(20) == "RUNNING"
    assert states.getSupervisorStateDescription(-1) == "SHUTDOWN"
    assert states.getEventListenerStateDescription(99) is None
    assert states.STOPPED_STATES == (0, 100, 200, 1000)


def test_a_listener_reads_an_event_and_answers() -> None:
    """READY, a header line, `len` characters, RESULT."""
    stdout = io.StringIO()
    stdin = io.StringIO("ver:3.0 server:a:b len:25\nprocessname:cat groupname:g\nrest")
    headers, payload = childutils.listener.wait(stdin, stdout)
    assert headers == {"ver": "3.0", "server": "a:b", "len": "25"}
    assert payload == "processname:cat groupname"
    childutils.listener.ok(stdout)
    childutils.listener.fail(stdout)
    childutils.listener.send("any text", stdout)
    answers = "RESULT 2\nOKRESULT 4\nFAILRESULT 8\nany text"
    assert stdout.getvalue() == "READY\n" + answers


def test_a_listener_ends_with_its_daemon() -> None:
    """At the end of input an exception is raised, on which many scripts rely."""
    with pytest.raises(KeyError, match="len"):
        childutils.listener.wait(io.StringIO(""), io.StringIO())


def test_payloads() -> None:
    """The first line as a dict, the rest as it is."""
    assert childutils.eventdata("a:1 b:2\nmore\n") == ({"a": "1", "b": "2"}, "more\n")
    with pytest.raises(ValueError, match="unpack"):
        childutils.eventdata("a:1")
    assert childutils.get_asctime(0.25).endswith(",250")


def test_process_communication_takes_text_and_bytes() -> None:
    """The message between its tokens."""
    for message in ("hello", b"hello"):
        stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        childutils.pcomm.send(message, stream)
        written = stream.buffer.getvalue()
        assert written == b"<!--XSUPERVISOR:BEGIN-->hello<!--XSUPERVISOR:END-->"


def test_the_transport_refuses_other_protocols() -> None:
    """Only http:// and unix://."""
    with pytest.raises(ValueError, match="Unknown protocol for serverurl ftp://x"):
        SupervisorTransport(serverurl="ftp://x")
    with pytest.raises(KeyError, match="SUPERVISOR_SERVER_URL"):
        childutils.getRPCInterface({})


def test_small_helpers() -> None:
    """Names, values, errors."""
    assert options.make_namespec("g", "p") == "g:p"
    assert options.split_namespec("g:*") == ("g", None)
    assert options.VERSION == "4.3.0"
    assert datatypes.byte_size("2MB") == 2 * 1024 * 1024
    assert datatypes.boolean("On") is True
    assert datatypes.list_of_strings("a, b") == ["a", "b"]
    with pytest.raises(ValueError, match="not a valid boolean value: 'x'"):
        datatypes.boolean("x")
    error = RPCError(Faults.BAD_NAME, "x")
    assert (error.code, error.text) == (10, "BAD_NAME: x")
    assert RPCError(Faults.FAILED).text == "FAILED"


@pytest.mark.parametrize("module", ["supervisord", "supervisorctl"])
def test_modules_run(module: str) -> None:
    """`python -m supervisor.x -h`"""
    command = [sys.executable, "-m", f"supervisor.{module}", "-h"]
    assert subprocess.run(command, capture_output=True).returncode == 0
