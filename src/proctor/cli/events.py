"""proctor events: what happens to the programs, line by line, until Ctrl-C.

Not an action of supervisorctl, whose list of actions is the original's.
"""

from __future__ import annotations

import json
import sys
import time

from proctor.cli import options
from proctor.cli.hints import with_hint
from proctor.cli.main import controller_for
from proctor.cli.options import UsageError
from proctor.cli.streams import prepare_streams
from proctor.client.connection import ProtocolError
from proctor.client.sse import events
from proctor.core.names import make_namespec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from proctor.cli.controller import Controller
    from proctor.client.connection import Stream

_PATH = "/api/v1/events"
# Seconds to wait for a server that was there; a restart may have many programs to stop.
_SHORTEST_PAUSE, _LONGEST_PAUSE, _PATIENCE = 0.2, 5.0, 60.0
_HELP = """\
usage: proctor events [options] [--json] [type ...]

Shows events of these types, such as PROCESS_STATE or tick_60, and of all that descend from them;
without a type, of all but TICK.  Goes on where it was when the connection is lost; ends with
Ctrl-C, or when there is no server for a minute.

  --json                     a JSON object per line
"""


def show_events(program: str, words: list[str]) -> int:
    """The command; its exit status: 0 after Ctrl-C, 1 when the server ended, 2 for wrong usage."""
    prepare_streams()
    try:
        line, as_json = options.parse_command(words, "--json")
        if "help" in line.values:
            print(_HELP + options.HELP_OF_SERVER, end="")
            return 0
        ctl = controller_for(program, line)
    except UsageError as error:
        return options.complain(f"{program} events", error)
    try:
        if not all(word.isascii() for word in line.action):
            return _no_such_type(line.action)
        return _Follower(ctl, line.action, as_json).follow()
    except KeyboardInterrupt:
        return 0


class _Follower:
    """One stream after the other; each begins where the one before it ended."""

    def __init__(self, ctl: Controller, types: list[str], as_json: bool) -> None:
        self._ctl = ctl
        self._types = types
        self._as_json = as_json
        self._last = ""

    def follow(self) -> int:
        """Show what happens for as long as there is a server; the exit status."""
        try:
            stream: Stream | None = self._open()
        except ProtocolError as error:
            return self._refused(error)
        except (OSError, ValueError) as error:
            asked = self._ctl.options
            told = with_hint(error, asked.serverurl, guessed=asked.guessed)
            return self._complain(f"cannot be reached: {told}")
        while stream is not None:
            try:
                self._show(stream)
            except (LookupError, TypeError, ValueError) as error:
                return self._complain(f"cannot tell of events: {error!r}")
            stream = self._open_again()
        return self._complain("has ended the stream")

    def _open(self) -> Stream:
        words = [f"types={','.join(self._types)}"] if self._types else []
        if self._last:
            words.append(f"after={self._last}")
        return self._ctl.server.follow(f"{_PATH}?{'&'.join(words)}")

    def _open_again(self) -> Stream | None:
        """The stream of the next daemon, or of this one; None when there is none for long."""
        pause, waited = _SHORTEST_PAUSE, 0.0
        while waited < _PATIENCE:
            time.sleep(pause)
            try:
                return self._open()
            except (OSError, ProtocolError):
                waited += pause
                pause = min(2 * pause, _LONGEST_PAUSE)
        return None

    def _show(self, stream: Stream) -> None:
        for name, data in events(stream, self._seen):
            # What is meant for pages is shown to who asks for it.
            if self._types or not name.startswith("NOTE_"):
                # Not by `output`, which goes on when nobody reads.
                print(data if self._as_json else described(name, data), flush=True)

    def _seen(self, last: str) -> None:
        self._last = last

    def _refused(self, error: ProtocolError) -> int:
        if error.status == 400 and self._types:
            return _no_such_type(self._types)
        why = "not a Proctor" if error.status == 404 else f"{error.status} {error.reason}"
        return self._complain(f"cannot tell of events: {why}")

    def _complain(self, text: str) -> int:
        print(f"{self._ctl.options.serverurl} {text}", file=sys.stderr)
        return 1


def _no_such_type(words: list[str]) -> int:
    """Say which of them is none, and what may have been meant; the exit status."""
    from proctor.config.table import hinted
    from proctor.core.events import NOTES, PARENTS

    known = {"EVENT", "NOTE", *PARENTS, *NOTES}
    strange = [word for word in words if word.upper() not in known]
    for word in strange:
        told = hinted(f"Error: no event type is called {word}", word.upper(), known)
        print(told, file=sys.stderr)
    if not strange:
        # It is of another version than we are.
        print(f"Error: this server has no event type {' or '.join(words)}", file=sys.stderr)
    return 2


def described(name: str, data: str) -> str:
    """An event for people; the data that some types carry is indented below."""
    event = json.loads(data)
    if name == "reset":
        return "... nobody knows what happened meanwhile"
    if name == "dropped":
        return f"... {event['dropped']} events were dropped: we read too slowly"
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event["time"]))
    fields = dict(event["fields"])
    group = fields.pop("groupname", "")
    who = make_namespec(group, fields.pop("processname", group))
    if "from_state" in fields:
        fields["from"] = fields.pop("from_state")
    expected = fields.pop("expected", None)
    parts = [f"{key} {value}" for key, value in fields.items()]
    if "ending" in event:
        parts.append(event["ending"])
    if expected is not None:
        parts.append("expected" if expected == "1" else "not expected")
    told = "  ".join(parts)
    what = name.removeprefix("PROCESS_STATE_")
    more = "".join(f"\n    {each}" for each in event["payload"].split("\n")[1:] if each)
    return f"{stamp}  {who:<20}  {what:<10}  {told}".rstrip() + more
