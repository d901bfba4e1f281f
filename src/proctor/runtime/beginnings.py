"""What a daemon begins with, and what is left when its life has ended."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import field, replace
from enum import Enum

from proctor.config.load import Configuration
from proctor.core.upgrades import Stage, UpgradeNews
from proctor.core.values import dataclass
from proctor.posix.notify import Notifier

Notes = Sequence[tuple[str, str]]


class Outcome(Enum):
    """How a daemon's life ended."""

    EXIT = "exit"
    RESTART = "restart"
    ASIDE = "stands aside for its successor"
    ALONE = "has no keeper to begin with"


@dataclass(frozen=True, slots=True)
class Beginnings:
    """What was settled before the daemon began to live.

    `pid` is the one that users see; `reread` reads the configuration anew (raises ConfigError);
    `notes` are lines for the log, by level name and text; `background` those about going there,
    which come later; `ready` is called when everything is up; `legacy` is what the daemon that ran
    before in this process left (see Ending).  `trial` is the command that tries out what is
    installed now; `notifier` tells the service manager above us; `news` are of an upgrade that
    failed, so that this daemon begins again.  `command` starts a daemon again; `open_files` are the
    limits of children.
    """

    configuration: Configuration
    pid: int
    reread: Callable[[Configuration], Configuration]
    notes: Notes
    background: Notes
    ready: Callable[[], None]
    legacy: str = ""
    trial: Sequence[str] = ()
    notifier: Notifier = field(default_factory=lambda: Notifier({}, 0))
    news: UpgradeNews | None = None
    command: Sequence[str] = ()
    open_files: tuple[int, int] = (0, 0)

    def returning(self, ending: Ending, reason: str) -> Beginnings:
        """The same once more, after a successor that came to nothing."""
        assert ending.news is not None
        assert ending.configuration is not None
        news = replace(ending.news, stage=Stage.FAILED, reason=reason)
        text = f"the upgrade to Proctor {news.new} has failed, this is {news.old} again: {reason}"
        notes = (("error", text),)
        return replace(
            self,
            configuration=ending.configuration,
            notes=notes,
            background=(),
            ready=lambda: None,
            legacy="",
            news=news,
        )


@dataclass(frozen=True, slots=True)
class Ending:
    """How a daemon's life ended: with this exit status, or, for RESTART, with the socket of a
    keeper to go on with and what is left to the next daemon; for ASIDE, with the socket on which to
    wait for the keeper's word, whether that tells when a successor has begun, what is known of the
    upgrade, and the configuration in force."""

    outcome: Outcome
    status: int = 0
    keeper: socket.socket | None = None
    says_begun: bool = False
    legacy: str = ""
    news: UpgradeNews | None = None
    configuration: Configuration | None = None
