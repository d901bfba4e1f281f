"""proctor: one command in front of all others.  DOOR.

`proctor ctl` is supervisorctl and `proctor supervisord` is supervisord, for machines where those
names belong to somebody else.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def main(argv: list[str] | None = None) -> int:
    """Run a command; the exit status."""
    program, *words = sys.argv if argv is None else argv
    match words:
        case ["ctl", *rest]:
            from proctor.cli.main import supervisorctl

            return supervisorctl([program, *rest])
        case ["alerts", *rest]:
            from proctor.listeners.alerts import main as alerts

            return alerts([f"{program} alerts", *rest])
        case ["supervisord", *rest]:
            # A process of its own: the daemon should not carry what the commands need.
            os.execv(sys.executable, [sys.executable, "-m", "proctor.supervisord", *rest])
        case ["events", *rest]:
            from proctor.cli.events import show_events

            return _survive_the_reader(lambda: show_events(program, rest))
        case ["healthy", *rest]:
            from proctor.cli.healthy import healthy

            return _survive_the_reader(lambda: healthy(program, rest))
        case _:
            return _survive_the_reader(lambda: _carry_out(words))


def _survive_the_reader(command: Callable[[], int]) -> int:
    from proctor.cli.streams import survive_the_reader

    return survive_the_reader(command)


def _carry_out(words: list[str]) -> int:
    """A command that reads no options of its own, or one that there is not."""
    match words:
        case ["help" | "--help" | "-h"] | [_, "--help" | "-h"]:  # of those without options
            from proctor.cli.usage import help_of

            print(help_of(words[0]), end="")
            return 0
        case ["hash-password"]:
            from proctor.cli.hash_password import hash_password

            return hash_password()
        case ["hash-password", "--token"]:
            from proctor.cli.hash_password import make_token

            return make_token()
        case ["demo"]:
            from proctor.cli.demo import demo

            return demo()
        case ["check", *rest] if (path := _one_file(rest)) is not None:
            from proctor.cli.check import check

            return check(path, as_json="--json" in rest, strict="--strict" in rest)
        case ["version" | "--version"]:
            from importlib.metadata import version

            print(version("proctor"))
            return 0
        case _:
            from proctor.cli.usage import complain

            return complain("proctor", words)


def _one_file(words: list[str]) -> str | None:
    """The file of `check`; None when there is not just one, or it has other flags."""
    files = [word for word in words if word not in ("--json", "--strict")]
    return files[0] if len(files) == 1 and files[0][:1] != "-" else None


if __name__ == "__main__":
    sys.exit(main())
