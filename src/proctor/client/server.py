"""Server: the methods of a daemon's `supervisor` namespace, with answers of the expected shape."""

from __future__ import annotations

from proctor.client.connection import Connection
from proctor.client.xmlrpc import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from proctor.client.connection import Stream
    from proctor.client.xmlrpc import Parameter, Value
    from proctor.core.settings import TrustSettings


class Row:
    """A struct of an answer.  Asking for a member it lacks raises ValueError."""

    __slots__ = ("members",)

    def __init__(self, value: Value) -> None:
        if not isinstance(value, dict):
            raise ValueError(f"expected a struct from the server, not {value!r}")
        self.members = value

    def text(self, key: str) -> str:
        """A member as text, whatever it is."""
        return str(self._get(key))

    def number(self, key: str) -> int:
        """A member that is a whole number (or a boolean)."""
        value = self._get(key)
        if not isinstance(value, int):
            raise ValueError(f"expected a number as {key!r} from the server, not {value!r}")
        return value

    def _get(self, key: str) -> Value:
        if key not in self.members:
            raise ValueError(f"the server's answer lacks {key!r}")
        return self.members[key]


class Server:
    """Asks one daemon.  Every method raises Fault, ProtocolError, OSError or ValueError."""

    def __init__(
        self,
        serverurl: str,
        username: str | None,
        password: str | None,
        trust: TrustSettings | None = None,
    ) -> None:
        self._connection = Connection(serverurl, username, password, trust)

    def call(self, method: str, *parameters: Parameter) -> Value:
        """The answer of `supervisor.<method>`, or of a method whose namespace is said."""
        name = method if "." in method else f"supervisor.{method}"
        body = dumps(name, parameters)
        return loads(self._connection.post("/RPC2", body))

    def text(self, method: str, *parameters: Parameter) -> str:
        """A call whose answer is shown as it is."""
        return str(self.call(method, *parameters))

    def rows(self, method: str, *parameters: Parameter) -> list[Row]:
        """A call that answers with a list of structs."""
        return [Row(value) for value in listed(self.call(method, *parameters))]

    def row(self, method: str, *parameters: Parameter) -> Row:
        """A call that answers with a struct."""
        return Row(self.call(method, *parameters))

    def reload_config(self) -> tuple[list[str], list[str], list[str]]:
        """Make the daemon read its configuration: names of groups (added, changed, removed)."""
        (lists,) = listed(self.call("reloadConfig"))
        added, changed, removed = ([str(name) for name in listed(one)] for one in listed(lists))
        return added, changed, removed

    def follow(self, path: str) -> Stream:
        """The endless stream behind `/logtail/...` or `/mainlogtail`, on its own connection."""
        return self._connection.stream(path)

    @property
    def warning(self) -> str:
        """What the daemon says to be wrong with how it was set up, as of the last call; or ""."""
        return self._connection.warning

    def close(self) -> None:
        """Drop the connection; the next call opens another."""
        self._connection.close()


def listed(value: Value) -> list[Value]:
    """A list of an answer.  Raises ValueError for anything else."""
    if not isinstance(value, list):
        raise ValueError(f"expected a list from the server, not {value!r}")
    return value
