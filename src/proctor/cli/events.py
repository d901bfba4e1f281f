"""proctor events: what happens to the programs, line by line, until Ctrl-C.

Not an action of supervisorctl, whose list of actions is the original's.
"""

from __future__ import annotations

import json
import sys
import time

from proctor.cli import options
from proctor.cli.main import controller_for, prepare_streams, survive_the_reader
from proctor.cli.options import UsageError
from proctor.client.connection import ProtocolError
from proctor.client.sse import events
from proctor.core.names import make_namespec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from proctor.cli.controller import Controller

_PATH = "/api/v1/events"
_HELP = """\
usage: proctor events [options] [--json] [type ...]

Shows events of these types, such as PROCESS_STATE or tick_60, and of all that descend from them;
without a type, of all but TICK.  Ends with Ctrl-C, or when the server does.

  --json                     a JSON object per line
  -c, --configuration FILE   read [supervisorctl] from this file, instead of searching for one
  -s, --serverurl URL        the server: unix:///path/of.sock or http://host:port
  -u, --username NAME        log in with this name
  -p, --password PASSWORD    log in with this password
"""


def show_events(program: str, words: list[str]) -> int:
    """The command; its exit status: 0 after Ctrl-C, 1 when the server ended, 2 for wrong usage."""
    prepare_streams()
    as_json = "--json" in words
    try:
        line = options.parse([word for word in words if word != "--json"])
        if "help" in line.values:
            print(_HELP, end="")
            return 0
        ctl = controller_for(program, line)
    except UsageError as error:
        print(f"Error: {error}\nFor help, use {program} events -h", file=sys.stderr)
        return 2
    try:
        return survive_the_reader(lambda: _follow(ctl, line.action, as_json))
    except KeyboardInterrupt:
        return 0


def _follow(ctl: Controller, types: list[str], as_json: bool) -> int:
    url = ctl.options.serverurl
    query = f"?types={','.join(types)}" if types else ""
    if not query.isascii():
        print("Error: no event type has such a name", file=sys.stderr)
        return 2
    try:
        stream = ctl.server.follow(_PATH + query)
    except ProtocolError as error:
        if error.status == 400:
            print("Error: no event type has such a name", file=sys.stderr)
            return 2
        why = "not a Proctor" if error.status == 404 else f"{error.status} {error.reason}"
        print(f"{url} cannot tell of events: {why}", file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:
        print(f"{url} cannot be reached: {error}", file=sys.stderr)
        return 1
    try:
        for name, data in events(stream):
            ctl.output(data if as_json else described(name, data))
    except (LookupError, TypeError, ValueError) as error:
        print(f"{url} cannot tell of events: {error!r}", file=sys.stderr)
        return 1
    print(f"{url} has ended the stream", file=sys.stderr)
    return 1


def described(name: str, data: str) -> str:
    """An event for people; the data that some types carry is indented below."""
    event = json.loads(data)
    if name == "dropped":
        return f"... {event['dropped']} events were dropped: we read too slowly"
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event["time"]))
    fields = dict(event["fields"])
    group = fields.pop("groupname", "")
    who = make_namespec(group, fields.pop("processname", group))
    if "from_state" in fields:
        fields["from"] = fields.pop("from_state")
    told = "  ".join(f"{key} {value}" for key, value in fields.items())
    what = name.removeprefix("PROCESS_STATE_")
    more = "".join(f"\n    {each}" for each in event["payload"].split("\n")[1:] if each)
    return f"{stamp}  {who:<20}  {what:<10}  {told}".rstrip() + more
