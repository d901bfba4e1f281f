"""Volume: how much came out of a stream since the daemon began, over all runs of its process.

The drain counts anyway; here the counts of runs that are over are added up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from proctor.daemon.surroundings import Channel


class Volume(NamedTuple):
    """Bytes: what the process wrote, and how much of it no log got, because none would take it; and
    how often its log was rotated."""

    written: int = 0
    lost: int = 0
    rotations: int = 0


NOTHING = Volume()


def added(passed: Mapping[str, Volume], channels: Mapping[str, Channel]) -> Mapping[str, Volume]:
    """The volumes by channel, with what went through these."""
    if not channels:
        return passed
    told = dict(passed)
    for name, channel in channels.items():
        before = told.get(name, NOTHING)
        told[name] = Volume(
            before.written + channel.bytes_seen,
            before.lost + channel.bytes_dropped,
            before.rotations + channel.rotations,
        )
    return told
