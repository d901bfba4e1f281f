"""rpcinterface factories of other people.  Source: compat plugins.md, section 1."""

from __future__ import annotations

import asyncio
import xmlrpc.client
from collections.abc import Callable
from typing import Any

import pytest

from proctor.api.access import asked_by, caller
from proctor.config.options.special import MAIN_RPCINTERFACE
from proctor.core.caller import Caller, How, Role
from proctor.core.faults import Fault, FaultCode
from proctor.core.settings import PluginSettings
from proctor.daemon.activity_log import ActivityLog
from proctor.web.third_party import NOT_DONE_YET, PluginError, ThirdParty, load
from webhost import Served

Serve = Callable[..., Served]


class RPCError(Exception):
    """As the compatibility package has it."""

    def __init__(self, code: int, text: str) -> None:
        self.code, self.text = code, text


class Base:
    def inherited(self) -> str:
        return "from the base"


class Plugin(Base):
    attribute = 5

    def __init__(self) -> None:
        self.asked = 0

    def add(self, first: int, second: int = 1) -> int:
        """Add two numbers

        @param int first
        @param int second
        @return int sum
        """
        return first + second

    @staticmethod
    def static() -> int:
        return 1

    def _private(self) -> int:
        return 1

    def nothing(self) -> None:
        return None

    def refuse(self) -> None:
        raise RPCError(30, "FAILED: for a reason")

    def refuse_as_we_do(self) -> None:
        raise Fault(FaultCode.BAD_NAME, "x")

    def bug(self) -> None:
        raise KeyError("oops")

    def wrong_type(self) -> int:
        return len(5)  # type: ignore[arg-type]

    def later(self) -> Callable[[], object]:
        def answer() -> object:
            self.asked += 1
            return "done" if self.asked == 3 else NOT_DONE_YET

        answer.delay = 0.0  # type: ignore[attr-defined]
        return answer

    def later_refused(self) -> Callable[[], object]:
        def answer() -> object:
            raise RPCError(10, "BAD_NAME: later")

        return answer

    async def coroutine(self) -> str:
        return "awaited"


@pytest.fixture
def proxy(serve: Serve) -> Any:
    log = ActivityLog()
    served = serve(interfaces={"supervisor": None, "mine": ThirdParty(Plugin(), log)})
    with xmlrpc.client.ServerProxy(f"http://127.0.0.1:{served.port}/RPC2") as proxy:
        yield proxy


def fault_of(call: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(xmlrpc.client.Fault) as caught:
        call()
    return caught.value.faultCode, caught.value.faultString


def test_bound_public_methods_can_be_called(proxy: Any) -> None:
    """Inherited ones too; our own namespace stays."""
    assert proxy.mine.add(1, 2) == 3
    assert proxy.mine.inherited() == "from the base"
    assert proxy.mine.coroutine() == "awaited"
    assert proxy.supervisor.getPID() == 42


@pytest.mark.parametrize("name", ["static", "_private", "attribute", "asked", "nope", "add.x"])
def test_nothing_else_can(proxy: Any, name: str) -> None:
    """Not static methods, attributes, private ones, nested objects."""
    assert fault_of(getattr(proxy.mine, name)) == (1, "UNKNOWN_METHOD")


def test_they_are_listed_and_described(proxy: Any) -> None:
    """Those of the object's own class; types from the docstring."""
    names = proxy.system.listMethods()
    assert "mine.add" in names
    assert "mine.inherited" not in names
    assert "mine._private" not in names
    assert proxy.system.methodSignature("mine.add") == ["int", "int", "int"]
    assert "Add two numbers" in proxy.system.methodHelp("mine.add")
    assert fault_of(lambda: proxy.system.methodHelp("mine.nope"))[0] == 4


def test_refusals_and_wrong_arguments_are_faults(proxy: Any) -> None:
    """By RPCError, or by ours; the signature is checked before the call (gotcha G73)."""
    assert fault_of(proxy.mine.refuse) == (30, "FAILED: for a reason")
    assert fault_of(proxy.mine.refuse_as_we_do) == (10, "BAD_NAME: x")
    assert fault_of(proxy.mine.add) == (2, "INCORRECT_PARAMETERS")
    assert fault_of(lambda: proxy.mine.add(1, 2, 3)) == (2, "INCORRECT_PARAMETERS")
    assert fault_of(proxy.mine.wrong_type) == (2, "INCORRECT_PARAMETERS")


def test_bugs_and_none_are_500(proxy: Any) -> None:
    """No method returns nil."""
    for name in ("bug", "nothing"):
        with pytest.raises(xmlrpc.client.ProtocolError) as caught:
            getattr(proxy.mine, name)()
        assert caught.value.errcode == 500


def test_deferred_answers_are_asked_for_until_they_are_there(proxy: Any) -> None:
    """A plain function that says NOT_DONE_YET, then the value; or raises."""
    assert proxy.mine.later() == "done"
    assert fault_of(proxy.mine.later_refused) == (10, "BAD_NAME: later")


def test_factories_get_the_facade_and_their_options() -> None:
    """Once; our own factory is known by its name and not resolved."""
    seen: list[tuple[object, dict[str, str]]] = []

    def factory(facade: object, **options: str) -> Plugin:
        seen.append((facade, options))
        return Plugin()

    lines: list[bytes] = []
    log = ActivityLog()
    log.attach(lines.append)
    plugins = [
        PluginSettings("supervisor", MAIN_RPCINTERFACE),
        PluginSettings("mine", "a.b:c", (("key", "value"),)),
    ]
    namespaces = load(plugins, {"a.b:c": factory}.__getitem__, lambda: "facade", log)
    assert seen == [("facade", {"key": "value"})]
    assert namespaces["supervisor"] is None
    assert isinstance(namespaces["mine"], ThirdParty)
    assert b"INFO RPC interface 'mine' initialized" in lines[1]


def test_a_factory_that_fails_ends_the_start() -> None:
    """Source: compat config.md, section 12."""

    def factory(facade: object) -> object:
        raise RuntimeError("no")

    lines: list[bytes] = []
    log = ActivityLog()
    log.attach(lines.append)
    with pytest.raises(PluginError, match=r"^Could not make mine rpc interface$"):
        load([PluginSettings("mine", "a:b")], lambda spec: factory, object, log)
    assert b"WARN Traceback" in lines[0]


class Watched:
    """A plug-in that sees who asks."""

    def __init__(self, seen: list[Caller]) -> None:
        self._seen = seen

    def look(self) -> int:
        self._seen.append(caller())
        return 1


def test_a_method_of_a_plug_in_is_for_admins_unless_its_section_says_who() -> None:
    """Nobody else knows what it does; what it does in turn it does with full rights."""
    operator = Caller(How.TCP, Role.OPERATE, user="otto")
    seen: list[Caller] = []

    def called(role: Role | None) -> object:
        target = ThirdParty(Watched(seen), ActivityLog(), role)
        with asked_by(operator):
            return asyncio.run(target.call("look", []))

    with pytest.raises(Fault, match="otto may not look: that needs the role admin"):
        called(None)
    assert called(Role.OPERATE) == 1
    assert (seen[0].user, seen[0].how, seen[0].role) == ("otto", How.PLUGIN, Role.ADMIN)
