"""Controller: carries out command lines, one at a time, and remembers the exit code.

1. Looked up in this order: help and EOF, our verbs, then the plug-ins in the order of the file; so
   a plug-in cannot replace a verb.
2. Whatever goes wrong in a command ends as lines on stdout and an exit code, never as a traceback:
   the next command of a shell has to work.
3. The last failing item decides the exit code; a later success does not reset it.

The attributes without a leading underscore are what ctl plug-ins use (compat plugins.md, section
2). Texts and codes: compat supervisorctl.md, sections 2 and 3; gotchas G85 and G87.
"""

from __future__ import annotations

import sys
from _thread import get_ident

from proctor.cli import exitcodes
from proctor.cli.streams import give_up
from proctor.client.connection import ProtocolError
from proctor.client.server import Server
from proctor.core.faults import Fault, FaultCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xmlrpc.client import ServerProxy

    from proctor.cli.third_party import Plugin
    from proctor.cli.verb import Verb
    from proctor.core.settings import TrustSettings

API_VERSION = "3.0"

_NO_NAMESPACE = (
    "Sorry, supervisord responded but did not recognize the supervisor namespace commands that "
    "supervisorctl uses to control it.  Please check that the [rpcinterface:supervisor] section "
    "is enabled in the configuration file (see sample.conf)."
)


class Options:
    """How to reach the server and how to talk to the user.  `open` and a login change it.

    `guessed`: nobody said which server, there was no configuration file.
    """

    def __init__(self, serverurl: str) -> None:
        self.serverurl = serverurl
        self.guessed = False
        self.username: str | None = None
        self.password: str | None = None
        self.trust: TrustSettings | None = None
        self.interactive = False
        self.prompt = "supervisor"
        self.history_file: str | None = None
        self.plugins: list[Plugin] = []


class Controller:
    """The one object behind supervisorctl, its shell and its plug-ins."""

    def __init__(self, options: Options, verbs: dict[str, Verb]) -> None:
        self.options = options
        self.verbs = verbs
        self.exitstatus = exitcodes.SUCCESS
        self.unheard = False  # Nobody reads our output any more.
        self._servers: dict[int, Server] = {}

    @property
    def server(self) -> Server:
        """The server of `options`.  Its connection is kept from call to call.

        Each thread has its own: plug-ins run our verbs in threads, and answers must not be mixed
        up.
        """
        thread = get_ident()
        if thread not in self._servers:
            options = self.options
            server = Server(options.serverurl, options.username, options.password, options.trust)
            self._servers[thread] = server
        return self._servers[thread]

    def use_server(self, serverurl: str) -> None:
        """Ask another server from now on."""
        self.options.serverurl, self.options.guessed = serverurl, False
        self._forget_server()

    def _forget_server(self) -> None:
        for server in self._servers.values():
            server.close()
        self._servers.clear()

    def output(self, text: object) -> None:
        """A line on stdout, at once.

        When nobody reads it any more, what was begun is done all the same: a program that was
        stopped to be started again must not stay down for that.
        """
        try:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()
        except BrokenPipeError:
            give_up(1)
            self.unheard = True

    def fail(self, text: str, code: int = exitcodes.GENERAL) -> None:
        """A line on stdout, and the exit code that goes with it."""
        self.output(text)
        self.exitstatus = code

    def set_exitstatus_from_xmlrpc_fault(self, faultcode: int, ignored: int | None = None) -> None:
        """What a fault of a start, stop, signal or clear makes of the exit code."""
        if faultcode not in (FaultCode.SUCCESS, ignored):
            self.exitstatus = exitcodes.of_fault(faultcode)

    def get_server_proxy(self, namespace: str | None = None) -> ServerProxy:
        """For plug-ins: a standard xmlrpc.client proxy, or that of one namespace of it."""
        from proctor.client.transport import server_proxy

        proxy = server_proxy(self.options.serverurl, self.options.username, self.options.password)
        return proxy if namespace is None else getattr(proxy, namespace)

    def get_supervisor(self) -> ServerProxy:
        """For plug-ins: the proxy of the `supervisor` namespace."""
        return self.get_server_proxy("supervisor")

    # --- one command --------------------------------------------------------------------------

    def onecmd(self, line: str) -> None:
        """Carry out a line.  Raises SystemExit (quit) and KeyboardInterrupt only."""
        line = line.strip()
        if not line:
            return
        if line == "EOF":
            line = "quit"
        word, argument = split_line(line)
        try:
            self._dispatch(line, word, argument)
        except ProtocolError as error:
            if error.status != 401:
                self._raw_error(error)
            elif self._asked_for_login():
                self.onecmd(line)
        except (ConnectionRefusedError, FileNotFoundError) as error:
            self._unreachable(error, exitcodes.GENERAL)
        except BrokenPipeError:
            raise  # nobody reads what is followed
        except Exception as error:  # also whatever a plug-in raises
            if isinstance(error, Fault) and error.code == FaultCode.FORBIDDEN:
                self.fail(f"ERROR: {error.text}")
            else:
                self._raw_error(error)

    def _dispatch(self, line: str, word: str, argument: str) -> None:
        if word == "help":
            from proctor.cli.help import show_help

            show_help(self, argument)
            return
        verb = self.verbs.get(word)
        if verb is not None:
            verb.run(self, argument)
            return
        for plugin in self.options.plugins:
            function = getattr(plugin, f"do_{word}", None) if word else None
            if function is not None:
                function(argument)
                return
        self.fail(f"*** Unknown syntax: {line}")

    def _raw_error(self, error: Exception) -> None:
        from proctor.cli.hints import hint_for, meaning_of

        if hint := hint_for(error, self.options.serverurl):
            self.output(f"{self.options.serverurl} cannot be reached; {hint}")
        elif meaning := meaning_of(error):
            print(f"hint: {meaning}", file=sys.stderr)
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        file, number = (place.tb_frame.f_code.co_filename, place.tb_lineno) if place else ("", 0)
        kind, text = str(type(error)), str(error)
        if isinstance(error, Fault):
            # Scripts know this error by the name that the standard library gives it.
            kind, text = "<class 'xmlrpc.client.Fault'>", f"<Fault {error.code}: {error.text!r}>"
        self.fail(f"error: {kind}, {text}: file: {file} line: {number}")

    def _unreachable(self, error: OSError, code: int) -> None:
        self.fail(f"{self.options.serverurl} {_reason(error)}", code)
        if self.options.guessed:
            from proctor.cli.hints import NO_FILE

            print(f"hint: {NO_FILE}", file=sys.stderr)

    def _asked_for_login(self) -> bool:
        """Whether the user gave a name and a password to try again with."""
        self.fail("Server requires authentication")
        if not self.options.interactive:
            return False
        from getpass import getpass

        try:
            self.options.username = input("Username:")
            self.options.password = getpass("Password:")
        except EOFError:
            self.output("")
            return False
        self.output("")
        self.exitstatus = exitcodes.SUCCESS
        self._forget_server()
        return True

    # --- may we talk? -------------------------------------------------------------------------

    def upcheck(self) -> bool:
        """Whether a server of our kind answers; if not, says why and sets the exit code."""
        try:
            version = self.server.text("getVersion")
        except Fault as fault:
            if fault.code != FaultCode.UNKNOWN_METHOD:
                raise
            self.fail(_NO_NAMESPACE, exitcodes.UNIMPLEMENTED)
            return False
        except ConnectionRefusedError as error:
            self._unreachable(error, exitcodes.CONNECTION_REFUSED)
            return False
        except FileNotFoundError as error:
            self._unreachable(error, exitcodes.NOT_RUNNING)
            return False
        if version == API_VERSION:
            return True
        self.fail(
            "Sorry, this version of supervisorctl expects to talk to a server with API version "
            f"{API_VERSION}, but the remote version is {version}.",
            exitcodes.VERSION_DIFFERS,
        )
        return False


def _reason(error: OSError) -> str:
    return "no such file" if isinstance(error, FileNotFoundError) else "refused connection"


def split_line(line: str) -> tuple[str, str]:
    """The action and its argument.  The action ends at the first sign that no name may hold, so
    `status;x` is `status` of `;x`; `?x` is `help x`.  No action at all: ""."""
    if line.startswith("?"):
        return "help", line[1:].strip()
    end = 0
    while end < len(line) and (line[end] == "_" or (line[end].isascii() and line[end].isalnum())):
        end += 1
    return line[:end], line[end:].strip()
