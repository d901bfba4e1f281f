"""The three streams of a child, as pipes."""

from __future__ import annotations

import errno
import os

from proctor.keeper.order import Order
from proctor.keeper.protocol import close_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class SpawnError(Exception):
    """There is no child: the step that failed ("pipe" or "fork") and its errno."""

    def __init__(self, step: str, number: int) -> None:
        super().__init__(f"{step}: {os.strerror(number)}")
        self.step = step
        self.errno = number


class Streams:
    """Our ends of a child's pipes, non-blocking; None where there is none."""

    __slots__ = ("stderr", "stdin", "stdout")

    def __init__(self, stdin: int | None, stdout: int | None, stderr: int | None) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr

    @classmethod
    def named(cls, letters: str, fds: Sequence[int]) -> Streams:
        """The opposite of `letters` and `fds`.  Raises ValueError when they do not fit."""
        by_letter = dict(zip(letters, fds, strict=True))
        return cls(by_letter.get("i"), by_letter.get("o"), by_letter.get("e"))

    def letters(self) -> str:
        """Which there are, as protocol.py spells it."""
        return "".join(letter for letter, fd in self._named() if fd is not None)

    def fds(self) -> list[int]:
        """Those there are, in the order of `letters`."""
        return [fd for _, fd in self._named() if fd is not None]

    def _named(self) -> tuple[tuple[str, int | None], ...]:
        return (("i", self.stdin), ("o", self.stdout), ("e", self.stderr))


class Ends:
    """The pipes of a child in the making.  `theirs` become its fds 0, 1 and 2; `ours` are handed
    out.

    Raises SpawnError.  Call `close_theirs` when there is a child, `give_up` when there is none.
    """

    def __init__(self, order: Order, socket_fd: int | None) -> None:
        self._made: list[int] = []
        self._theirs: list[int] = []
        zero, stdin, stderr = socket_fd, None, None
        try:
            if zero is None:
                zero, stdin = self._pipe(ours=1)
            one, stdout = self._pipe(ours=0)
            two = one
            if not order.redirect_stderr:
                two, stderr = self._pipe(ours=0)
            self._give_to(order)
        except OSError as error:
            self.give_up()
            raise SpawnError("pipe", error.errno or errno.EIO) from None
        self.theirs = (zero, one, two)
        self.ours = Streams(stdin, stdout, stderr)

    def _pipe(self, ours: int) -> tuple[int, int]:
        """(the child's end, our end)."""
        pair = os.pipe()
        self._made += pair
        self._theirs.append(pair[1 - ours])
        os.set_blocking(pair[ours], False)
        return pair[1 - ours], pair[ours]

    def _give_to(self, order: Order) -> None:
        """Else a child of another user may not open /dev/stdout anew (decisions.md, section 4)."""
        if order.needs_another_user and os.geteuid() == 0:
            for fd in self._theirs:
                os.fchown(fd, order.uid or 0, -1)

    def close_theirs(self) -> None:
        """The child has them now."""
        close_all(self._theirs)

    def give_up(self) -> None:
        """There will be no child."""
        close_all(self._made)
