"""Two lists of groups, or of processes, to what was added, changed and removed.

A thing is changed when its spec is not equal to the old one: what was configured is compared, also
owner, mode and backlog of sockets and the settings of AUTO logs (gotcha G55).  Order among groups
means nothing; order of the processes in a group does.  Source: compat config.md, section 16.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from proctor.core.spec import GroupSpec, ProcessSpec
from proctor.core.values import dataclass

Spec = TypeVar("Spec", GroupSpec, ProcessSpec)


@dataclass(frozen=True, slots=True)
class Diff(Generic[Spec]):
    """`added` and `changed` are the new specs, `removed` the old ones."""

    added: tuple[Spec, ...]
    changed: tuple[Spec, ...]
    removed: tuple[Spec, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def diff(old: Iterable[Spec], new: Iterable[Spec]) -> Diff[Spec]:
    """What is different in `new`, by name."""
    before = {spec.name: spec for spec in old}
    after = {spec.name: spec for spec in new}
    return Diff(
        added=tuple(spec for name, spec in after.items() if name not in before),
        changed=tuple(
            spec for name, spec in after.items() if name in before and before[name] != spec
        ),
        removed=tuple(spec for name, spec in before.items() if name not in after),
    )
