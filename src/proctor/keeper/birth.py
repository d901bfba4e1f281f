"""An order becomes a child, in a control group of its own when its whole tree is to be minded."""

from __future__ import annotations

import os

from proctor.keeper.cgroups import Groups
from proctor.keeper.order import Order
from proctor.keeper.pipes import Streams
from proctor.keeper.spawner import Spawner
from proctor.keeper.trees import MARK, Tree


class Nursery:
    """Makes children by a spawner; without control groups it marks those that are trees."""

    def __init__(self, spawner: Spawner) -> None:
        self._spawner = spawner
        self._groups = Groups()

    def spawn(self, order: Order, socket_fd: int | None) -> tuple[int, Streams, Tree | None]:
        """See Spawner.spawn; the third is there when the order names a tree."""
        if not order.tree:
            return (*self._spawner.spawn(order, socket_fd), None)
        order.environment += ((MARK, order.tree),)
        group = self._groups.make(order.tree)
        try:
            door = None if group is None else group.open_door()
        except OSError:
            door = None
        try:
            pid, streams = self._spawner.spawn(order, socket_fd, door)
        except BaseException:
            if group is not None:
                group.remove()
            raise
        finally:
            if door is not None:
                os.close(door)
        return pid, streams, Tree(pid, order.tree, group)
