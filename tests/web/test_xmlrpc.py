"""The XML-RPC interface through a foreign client: Python's own, over TCP and unix sockets."""

from __future__ import annotations

import http.client
import socket
import xmlrpc.client
from collections.abc import Iterator
from typing import Any, get_type_hints

import pytest

from proctor.api.service import Service
from proctor.core.states import SupervisorState
from proctor.web.classic import PageService
from proctor.web.methods import METHODS
from webhost import Served, a_call, a_post

_NAMES = """addProcessGroup clearAllProcessLogs clearLog clearProcessLog clearProcessLogs
getAPIVersion getAllConfigInfo getAllProcessInfo getIdentification getPID getProcessInfo getState
getSupervisorVersion getVersion readLog readMainLog readProcessLog readProcessStderrLog
readProcessStdoutLog reloadConfig removeProcessGroup restart sendProcessStdin sendRemoteCommEvent
shutdown signalAllProcesses signalProcess signalProcessGroup startAllProcesses startProcess
startProcessGroup stopAllProcesses stopProcess stopProcessGroup tailProcessLog tailProcessStderrLog
tailProcessStdoutLog"""


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket; the host is its path."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self.path = path


class UnixTransport(xmlrpc.client.Transport):
    """xmlrpc.client over a unix socket, with a persistent connection."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = self._connection[1] or UnixConnection(self._path)
        self._connection = host, connection
        return connection


@pytest.fixture
def proxy(served: Served) -> Iterator[xmlrpc.client.ServerProxy]:
    """A foreign client over TCP."""
    with xmlrpc.client.ServerProxy(f"http://127.0.0.1:{served.port}/RPC2") as proxy:
        yield proxy


def fault_of(call: Any) -> tuple[int, str]:
    """The fault of a call."""
    with pytest.raises(xmlrpc.client.Fault) as caught:
        call()
    return caught.value.faultCode, caught.value.faultString


def test_the_table_has_the_methods_of_the_original(proxy: Any) -> None:
    """37 of supervisor, 4 of system, sorted.  Source: the original, run."""
    system = ["listMethods", "methodHelp", "methodSignature", "multicall"]
    expected = [f"supervisor.{name}" for name in _NAMES.split()] + [
        f"system.{name}" for name in system
    ]
    assert proxy.system.listMethods() == expected


def test_the_service_has_every_verb_of_the_table_and_of_the_pages() -> None:
    """And what it answers is what the table's shapes expect."""

    pages: type[PageService] = Service  # mypy compares the two
    assert pages
    assert [m.verb for m in METHODS.values() if not hasattr(Service, m.verb)] == []
    assert get_type_hints(Service.get_state)["return"] is SupervisorState
    assert get_type_hints(Service.reload_config)["return"] == tuple[list[str], list[str], list[str]]


def test_signatures_and_help(proxy: Any) -> None:
    """Source: the original, run; the words of the help are our own."""
    signature = proxy.system.methodSignature
    assert signature("supervisor.startProcess") == ["boolean", "string", "boolean"]
    assert signature("supervisor.readProcessLog") == ["string", "string", "int", "int"]
    assert signature("supervisor.getState") == ["struct"]
    assert signature("supervisor.signalAllProcesses") == ["array", "string"]
    assert signature("system.multicall") == ["array", "array"]
    assert "process id" in proxy.system.methodHelp("supervisor.getPID")
    assert all(METHODS[name].help.endswith(".") for name in METHODS)
    assert fault_of(lambda: signature("supervisor.nope")) == (4, "SIGNATURE_UNSUPPORTED")
    assert fault_of(lambda: proxy.system.methodHelp("nope")) == (4, "SIGNATURE_UNSUPPORTED")


def test_what_the_original_has_not_is_in_a_namespace_of_our_own(proxy: Any) -> None:
    """listMethods does not tell it; signatures and help do."""
    web = {"group": "web", "stops": [], "starts": ["web:web_0"]}
    nothing: dict[str, list[Any]] = {"removed": [], "changed": [], "settings": []}
    assert proxy.proctor.diff() == {**nothing, "added": [web], "problems": []}
    assert proxy.proctor.apply()["problems"] == ["web: no"]
    assert proxy.system.methodSignature("proctor.apply") == ["struct"]
    assert "without doing it" in proxy.system.methodHelp("proctor.diff")
    assert fault_of(proxy.proctor.getState) == (1, "UNKNOWN_METHOD")


def test_the_journal_is_asked_in_our_namespace(proxy: Any) -> None:
    """Times are doubles; what is not known is not in a struct; limits and channels may be left
    out.
    """
    assert proxy.proctor.why("cat") == {
        "process": "cat",
        "state": "STOPPED",
        "sentence": "cat is STOPPED.",
        "steps": [{"time": 1.5, "text": "x"}],
        "last_output": "",
    }
    (run,) = proxy.proctor.history("cat", 7, 3)
    assert (run["run"], run["start"], run["end"], run["exit_code"]) == (3, 7.0, 8.0, 1)
    assert run["started"] == {"kind": "request", "who": "alice"}
    assert proxy.proctor.history("cat")[0]["run"] == 100
    assert proxy.proctor.runOutput("cat", -1, "stderr") == {
        "run": -1,
        "channel": "stderr",
        "text": "cat says\n",
        "complete": True,
    }
    assert fault_of(lambda: proxy.proctor.history("cat", "yesterday")) == (
        2,
        "INCORRECT_PARAMETERS",
    )


def test_results_have_their_shapes(proxy: Any, served: Served) -> None:
    """Source: compat xmlrpc.md, sections 6 to 9."""
    supervisor = proxy.supervisor
    assert supervisor.getState() == {"statecode": 1, "statename": "RUNNING"}
    assert supervisor.getAPIVersion() == supervisor.getVersion() == "3.0"
    assert supervisor.reloadConfig() == [[["new"], [], ["old"]]]
    assert supervisor.getProcessInfo("cat")["statename"] == "RUNNING"
    assert [info["name"] for info in supervisor.getAllProcessInfo()] == ["cat", "web_0", "猫"]
    assert supervisor.tailProcessLog("cat", 0, 3) == ["lo\n", 6, False]
    assert supervisor.startAllProcesses() == [
        {"name": "cat", "group": "cat", "status": 80, "description": "OK"}
    ]
    assert supervisor.getAllConfigInfo()[0]["autostart"] is True


def test_parameters_are_read_leniently(proxy: Any, served: Served) -> None:
    """Offsets may be text, signals numbers, wait is true unless said otherwise."""
    supervisor = proxy.supervisor
    supervisor.readProcessLog("cat", "0", "10")
    supervisor.signalProcess("cat", 15)
    supervisor.startProcess("web:web_0")
    supervisor.startProcess("web:web_0", False)
    supervisor.startProcessGroup("web", 0)
    supervisor.sendRemoteCommEvent(3, 4)
    assert served.service.calls == [
        ("read_process_stdout_log", "cat", 0, 10),
        ("signal_process", "cat", "15"),
        ("start_process", "web:web_0", True),
        ("start_process", "web:web_0", False),
        ("start_process_group", "web", False),
        ("send_remote_comm_event", "3", "4"),
    ]


@pytest.mark.parametrize(
    ("method", "values", "fault"),
    [
        ("supervisor.getPID", ("<int>1</int>",), (2, "INCORRECT_PARAMETERS")),
        ("supervisor.startProcess", (), (2, "INCORRECT_PARAMETERS")),
        ("supervisor.startProcess", ("a", "1", "2"), (2, "INCORRECT_PARAMETERS")),
        ("supervisor.startProcess", ("<int>3</int>",), (2, "INCORRECT_PARAMETERS")),
        ("supervisor.readLog", ("x", "<int>0</int>"), (2, "INCORRECT_PARAMETERS")),
        ("supervisor.readLog", ("<array><data/></array>", "0"), (2, "INCORRECT_PARAMETERS")),
        ("supervisor.sendProcessStdin", ("cat", "<int>3</int>"), (2, "INCORRECT_PARAMETERS: 3")),
        ("supervisor.getProcessInfo", ("nope",), (10, "BAD_NAME: nope")),
        ("supervisor.startProcess", ("cat",), (60, "ALREADY_STARTED: cat")),
        ("supervisor.readProcessStderrLog", ("cat", "0", "0"), (20, "NO_FILE")),
        ("supervisor.nope", (), (1, "UNKNOWN_METHOD")),
        ("supervisor", (), (1, "UNKNOWN_METHOD")),
        ("supervisor.", (), (1, "UNKNOWN_METHOD")),
        ("getState", (), (1, "UNKNOWN_METHOD")),
        ("a.b.c", (), (1, "UNKNOWN_METHOD")),
        ("supervisor.getState.x", (), (1, "UNKNOWN_METHOD")),
        ("supervisor.get_state", (), (1, "UNKNOWN_METHOD")),
        ("supervisor.__class__", (), (1, "UNKNOWN_METHOD")),
        ("supervisor._one", (), (1, "UNKNOWN_METHOD")),
        ("__class__.__init__", (), (1, "UNKNOWN_METHOD")),
        ("system.nope", (), (1, "UNKNOWN_METHOD")),
        ("system.multicall", ("<int>3</int>",), (2, "INCORRECT_PARAMETERS")),
        ("system.listMethods", ("<int>3</int>",), (2, "INCORRECT_PARAMETERS")),
    ],
)
def test_refusals_are_faults_with_status_200(
    served: Served, method: str, values: tuple[str, ...], fault: tuple[int, str]
) -> None:
    """Only what the table names can be called; dunders, deep names and snake case cannot."""
    reply = served.ask(a_post(a_call(method, *values)))
    assert reply.status == 200
    with pytest.raises(xmlrpc.client.Fault) as caught:
        xmlrpc.client.loads(reply.body)
    assert (caught.value.faultCode, caught.value.faultString) == fault


def test_multicall_answers_with_bare_values(proxy: Any, served: Served) -> None:
    """Gotcha G10; a refusal takes nobody else's answer, and a bug is fault 30 of its own call."""
    results = proxy.system.multicall(
        [
            {"methodName": "supervisor.getPID", "params": []},
            {"methodName": "supervisor.getState"},
            {"methodName": "supervisor.getProcessInfo", "params": ["nope"]},
            {"methodName": "supervisor.startProcess", "params": ["bug"]},
            {"methodName": "system.multicall", "params": [[]]},
            {"params": []},
            {"methodName": "supervisor.getPID", "params": 3},
            5,
            {"methodName": "system.listMethods"},
        ]
    )
    assert results[:8] == [
        42,
        {"statecode": 1, "statename": "RUNNING"},
        {"faultCode": 10, "faultString": "BAD_NAME: nope"},
        {"faultCode": 30, "faultString": "FAILED: <class 'RuntimeError'>:no such luck"},
        {
            "faultCode": 2,
            "faultString": "INCORRECT_PARAMETERS: Recursive system.multicall forbidden",
        },
        {"faultCode": 2, "faultString": "INCORRECT_PARAMETERS: No methodName"},
        {"faultCode": 2, "faultString": "INCORRECT_PARAMETERS"},
        {"faultCode": 2, "faultString": "INCORRECT_PARAMETERS"},
    ]
    assert len(results[8]) == 41


def test_a_bug_is_500_and_its_trace_one_line_without_the_body(served: Served) -> None:
    """The body may hold what is meant for a program's stdin only."""
    reply = served.ask(a_post(a_call("supervisor.startProcess", "bug")))
    assert (reply.status, reply.reason) == (500, "Internal Server Error")
    found = [line for line in served.lines if "Handling XML-RPC request with data" in line]
    assert len(found) == 1
    assert "CRIT" in found[0]
    assert "raised an unexpected exception: Traceback" in found[0]
    assert "no such luck" in found[0]
    assert "<methodCall>" not in found[0]


@pytest.mark.parametrize("body", [b"junk", b"<methodCall></methodCall>", b""])
def test_what_cannot_be_read_is_400(served: Served, body: bytes) -> None:
    """Source: compat xmlrpc.md, section 2."""
    assert served.ask(a_post(body)).status == 400
    assert any("XML-RPC request data is invalid" in line for line in served.lines)


def test_a_waiting_call_with_other_letters_has_a_length_in_bytes(served: Served) -> None:
    """Gotcha G7."""
    reply = served.ask(a_post(a_call("supervisor.getProcessInfo", "猫")))
    parameters, _ = xmlrpc.client.loads(reply.body)
    info: Any = parameters[0]
    assert info["name"] == "猫"
    assert int(reply.headers["Content-Length"]) == len(reply.body)


def test_others_are_served_while_a_call_waits(served: Served) -> None:
    """And what the waiting one began goes on to its end."""
    with served.tcp() as waiting:
        waiting.sendall(a_post(a_call("supervisor.startProcess", "slow")))
        assert served.ask(a_post(a_call("supervisor.getPID"))).status == 200
        served.service.released.set()
        assert b"<boolean>1</boolean>" in waiting.recv(65536)


def test_the_unix_socket_speaks_the_same(served: Served) -> None:
    """A persistent connection over a unix socket, as supervisorctl makes."""
    transport = UnixTransport(served.path)
    with xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=transport) as client:
        assert [client.supervisor.getPID() for _ in range(3)] == [42, 42, 42]


def test_paths_that_begin_like_the_endpoint_are_the_endpoint(served: Served) -> None:
    """Gotcha G77."""
    for path in ("/RPC2", "/RPC2/", "/RPC2anything", "/RPC2?x=1"):
        assert served.ask(a_post(a_call("supervisor.getPID"), path=path)).status == 200
