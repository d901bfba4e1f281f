"""supervisord: from a command line to a running daemon.  DOOR.

1. `settle`: command line and configuration; mistakes go to stderr, exit 2, nothing was touched. 2.
`become`: the user, the limits, the background. 3. The process that the user started becomes the
keeper; its child goes on as the daemon (HOUSE.md 8a). With `keeper=false` there is no child, and
everything is one process. 4. `proctor.runtime.run` builds the daemon and runs it.

A daemon that has to begin again (restart, or killed and started by the keeper) comes in by the same
door with `--again`: it finds the same files from the same directory, and skips step 2 and 3.  With
`--anew` it skips step 2 only: the keeper that started it was killed before it said a word.
Source: compat config.md, sections 11 and 12.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from proctor.config import commandline
from proctor.config.commandline import Overrides, UsageError, Wish
from proctor.config.discover import find
from proctor.config.load import Configuration, check_file, load
from proctor.config.problems import ConfigError
from proctor.config.world import RealWorld
from proctor.core.settings import DaemonSettings
from proctor.core.values import dataclass
from proctor.core.version import PROCTOR_VERSION, VERSION
from proctor.keeper.spawner import fill_standard_streams
from proctor.posix import legacy, notify
from proctor.posix.daemonize import Background, daemonize
from proctor.posix.keeper_launch import inherited_keeper, leave_to_next, split_off_daemon
from proctor.posix.last_words import tell
from proctor.posix.rlimits import LimitError, minimums, raise_limit
from proctor.posix.users import PrivilegeError, drop_privileges
from proctor.runtime.loading import import_asyncio_without_ssl, load_everything
from proctor.runtime.profiling import profiled

if TYPE_CHECKING:
    from proctor.runtime.beginnings import Ending

AGAIN = "--again"
ANEW = "--anew"
TRIAL = "--trial"
REFUSALS = (UsageError, ConfigError, PrivilegeError, LimitError)

Notes = list[tuple[str, str]]

RUNS_AS_ROOT = (
    "Supervisor is running as root.  Privileges were not dropped because no user is specified in"
    " the config file.  If you intend to run as root, you can set user=root in the config file to"
    " avoid this message."
)

FOUND_BY_ROOT = (
    "root found {} by looking in the usual places, the current directory among them; say -c with"
    " an absolute path, so that nobody else decides what root runs"
)

NO_KEEPER = (
    "going on without a keeper: this user may not execute {}.  Programs run, but they will not"
    " survive the supervisor, and it cannot restart itself; install it where the user may read it."
)


BEGUN_ANEW = (
    "the keeper was killed while a daemon began; going on under another one, which finds its"
    " programs like after a death of both"
)


@dataclass(frozen=True, slots=True)
class Settled:
    """What the command line and the files say.

    `again`: not the first start; `anew`: with another keeper, as the one that started us is gone.
    """

    program: str
    words: tuple[str, ...]
    path: str
    overrides: Overrides
    world: RealWorld
    configuration: Configuration
    again: bool
    anew: bool

    def command(self, wish: str = AGAIN) -> list[str]:
        """The command that begins again with the same words, files and directory, or tries to."""
        module = [sys.executable, "-P", "-m", "proctor.supervisord"]
        return [*module, wish, self.world.cwd, self.path, *self.words]

    def reread(self, previous: Configuration) -> Configuration:
        """The configuration as the files are now.  Raises ConfigError."""
        return load(self.path, self.overrides, self.world, previous)


def main(argv: Sequence[str] | None = None) -> int:
    """Run supervisord with these words (sys.argv by default); the exit status."""
    program, *words = sys.argv if argv is None else argv
    fill_standard_streams()
    try:
        return _run(program, words)
    except REFUSALS as error:
        return refuse(error, program)


def refuse(error: Exception, program: str) -> int:
    """Say why not, on stderr; the exit status."""
    notes = "".join(f"\n  {note}" for note in getattr(error, "__notes__", ()))
    tell(f"Error: {error}{notes}\nFor help, use {program} -h")
    return 2


def _run(program: str, words: list[str]) -> int:
    again = _is_again(words)
    world = RealWorld(words[1] if again else None)
    overrides = commandline.parse(words[3:] if again else words, world)
    if overrides.wish is not Wish.RUN:
        from proctor.cli.streams import survive_the_reader

        return survive_the_reader(lambda: _answer(program, overrides, world))
    settled = settle(program, words, overrides, world)
    if words[:1] == [TRIAL]:
        return _try_out(settled.configuration)
    settings = settled.configuration.daemon
    if settled.anew:
        notes = [*_who(settings), ("critical", BEGUN_ANEW)]
        return _serve(settled, notes, _keeper(settled))
    if settled.again:
        return _serve(settled, _who(settings), inherited_keeper(os.environ))
    if overrides.configuration is None and os.getuid() == 0:
        tell(f"Warning: {FOUND_BY_ROOT.format(settled.path)}")
    notes = become(settings)
    if settings.nodaemon:
        return _serve(settled, notes, _keeper(settled))
    background = daemonize()
    # Before the keeper comes to be: it is the one who hands directory and umask on.
    background_notes = _settle_down(settings)
    return _serve(settled, notes, _keeper(settled), background, background_notes)


def _is_again(words: list[str]) -> bool:
    """Whether these are the words of Settled.command."""
    return words[:1] in ([AGAIN], [ANEW], [TRIAL])


def _try_out(configuration: Configuration) -> int:
    """Could we go on with what the daemon has whose state is on our stdin?  The exit status."""
    from proctor.survival.rehearsal import rehearse

    specs = (spec for group in configuration.groups for spec in group.processes)
    rehearse(sys.stdin.buffer.read(), specs)
    print(PROCTOR_VERSION)
    return 0


def _answer(program: str, overrides: Overrides, world: RealWorld) -> int:
    """Do what the command line asks for instead of running; the exit status."""
    match overrides.wish:
        case Wish.HELP:
            print(commandline.usage(program), end="")
        case Wish.VERSION:
            print(VERSION)
        case _:
            text, good = check_file(
                overrides.configuration,
                overrides,
                world,
                as_json=overrides.json,
                strict=overrides.strict,
                encoding=sys.stdout.encoding,
                program=program,
            )
            print(text)
            return 0 if good else 2
    return 0


def settle(program: str, words: list[str], overrides: Overrides, world: RealWorld) -> Settled:
    """Find and read the files.  Raises ConfigError."""
    again = _is_again(words)
    path = words[2] if again else overrides.configuration or find(program, world)
    configuration = load(path, overrides, world)
    own = tuple(words[3:] if again else words)
    return Settled(
        program,
        own,
        configuration.path,
        overrides,
        world,
        configuration,
        again,
        words[:1] == [ANEW],
    )


def become(settings: DaemonSettings) -> Notes:
    """Take on the user and the limits.  Raises PrivilegeError or LimitError."""
    if settings.uid is not None:
        load_everything(with_journal=settings.journal is not None)
        drop_privileges(settings.uid)
    notes = _who(settings)
    if settings.keeper and not _wants_keeper(settings):
        notes.append(("critical", NO_KEEPER.format(sys.executable)))
    for minimum in minimums(settings.minfds, settings.minprocs):
        raised = raise_limit(minimum)
        if raised is not None:
            notes.append(("info", raised))
    return notes


def _who(settings: DaemonSettings) -> Notes:
    """The line about our user, at every start and restart."""
    if settings.uid is not None:
        return [("info", f"Set uid to user {os.getuid()} succeeded")]
    return [("critical", RUNS_AS_ROOT)] if os.getuid() == 0 else []


def _keeper(settled: Settled) -> socket.socket | None:
    if not _wants_keeper(settled.configuration.daemon):
        return None
    return split_off_daemon(settled.command())


def _wants_keeper(settings: DaemonSettings) -> bool:
    """A user who may not execute this Python cannot have a keeper: it is a program of its own."""
    return settings.keeper and os.access(sys.executable, os.X_OK)


def _settle_down(settings: DaemonSettings) -> Notes:
    """Directory and umask, which count only in the background (gotcha G38)."""
    notes: Notes = [("info", "daemonizing the supervisord process")]
    if settings.directory is not None:
        try:
            os.chdir(settings.directory)
            notes.append(("info", f"set current directory: {settings.directory!r}"))
        except OSError as error:
            notes.append(("critical", f"can't chdir into {settings.directory!r}: {error.strerror}"))
    os.umask(settings.umask)
    return notes


def _serve(
    settled: Settled,
    notes: Notes,
    keeper: socket.socket | None,
    background: Background | None = None,
    background_notes: Sequence[tuple[str, str]] = (),
) -> int:
    """Live as the daemon; the exit status.  Does not return when everything is to begin again."""
    import_asyncio_without_ssl()
    from proctor.runtime.beginnings import Beginnings, Outcome
    from proctor.runtime.lives import lives

    if background is not None:
        background.borrow_stderr()
    pid = os.getpid() if keeper is None else os.getppid()
    beginnings = Beginnings(
        configuration=settled.configuration,
        pid=pid,
        reread=settled.reread,
        notes=[*notes, *((note.level, note.line()) for note in settled.configuration.notes)],
        background=background_notes,
        ready=(lambda: None) if background is None else background.ready,
        legacy=legacy.inherit(os.environ),
        trial=settled.command(TRIAL),
        command=settled.command(),
        notifier=notify.inherit(os.environ, pid),
    )
    with profiled(settled.overrides.profile):
        ending = lives(
            beginnings,
            keeper,
            lambda error: refuse(error, settled.program),
            made_keeper=not settled.again or settled.anew,
        )
    if ending.outcome is Outcome.EXIT:
        return ending.status
    _begin_again(ending, settled, beginnings.notifier)


def _begin_again(ending: Ending, settled: Settled, notifier: notify.Notifier) -> NoReturn:
    """Become another daemon, with what this one leaves."""
    from proctor.runtime.beginnings import Outcome

    if ending.keeper is not None:
        leave_to_next(ending.keeper, os.environ)
    if ending.outcome is Outcome.RESTART:
        legacy.leave(ending.legacy, os.environ)
    notifier.leave(os.environ)
    command = settled.command(ANEW if ending.outcome is Outcome.ALONE else AGAIN)
    os.execv(command[0], command)


if __name__ == "__main__":
    sys.exit(main())
