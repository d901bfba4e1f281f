"""What an `apply` does: which groups and which settings differ, and which processes that touches.

Plain data, so that what is shown before (a dry run) and what is said afterwards are one thing.
"""

from __future__ import annotations

from enum import Enum

from proctor.core.values import dataclass


class Change(Enum):
    """What is different about a group."""

    REMOVED = "removed"
    CHANGED = "changed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class GroupChange:
    """One group.  `stops` and `starts` name processes as `group:process`; one that is replaced
    while it runs is in both, and one that is not named goes on untouched."""

    group: str
    change: Change
    stops: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()

    def as_struct(self) -> dict[str, object]:
        """For XML-RPC and JSON."""
        return {"group": self.group, "stops": list(self.stops), "starts": list(self.starts)}


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One option of the daemon itself, or, with `option` "", a whole section of it.

    `live`: it counts at once.  If not, it counts from the next start (reload, upgrade).  `old` and
    `new` are "" where showing them helps nobody or would tell a secret.
    """

    section: str
    option: str
    live: bool
    old: str = ""
    new: str = ""

    def as_struct(self) -> dict[str, object]:
        """For XML-RPC and JSON."""
        return {
            "section": self.section,
            "option": self.option,
            "live": self.live,
            "old": self.old,
            "new": self.new,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """All that differs, in the order in which it is carried out.

    `problems` is empty in a dry run; afterwards it says what could not be done, a line each.
    """

    groups: tuple[GroupChange, ...] = ()
    settings: tuple[SettingChange, ...] = ()
    problems: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.groups or self.settings)

    def of(self, change: Change) -> tuple[GroupChange, ...]:
        """The groups that change in this way."""
        return tuple(group for group in self.groups if group.change is change)

    def as_struct(self) -> dict[str, object]:
        """For XML-RPC and JSON: removed, changed, added, settings, problems."""
        return {
            **{each.value: [group.as_struct() for group in self.of(each)] for each in Change},
            "settings": [setting.as_struct() for setting in self.settings],
            "problems": list(self.problems),
        }
