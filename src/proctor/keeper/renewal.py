"""The keeper goes on as another program, its own new version perhaps: same pid, same children.

1. The new program is tried first, as a child: it is given a copy of the state and must say that it
   can read it.  What says no, crashes or takes too long is refused, with its own words.
2. All signals are blocked, so none is lost between the two; what was heard is worked off.
3. The state goes into a file without a name.  Descriptors stay open for the exec only: the new
   program makes them its own before it spawns anybody (spawner.py).
4. The new program reaps once when it arrives: deaths in between sent a signal that is one for all.
"""

from __future__ import annotations

import os
import time

from proctor.keeper import state as states
from proctor.keeper.order import Order
from proctor.keeper.pipes import SpawnError
from proctor.keeper.protocol import close_all
from proctor.keeper.spawner import Spawner
from proctor.keeper.thin import signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

CHECK = "--check-state"
RESUME = "--state"

_PATIENCE = 20.0
_WORDS = 2000


class Renewal:
    """`state()` is all that the keeper knows now; `hear()` works off the signals that came;
    `refuse(reason)` tells whoever asked.
    """

    def __init__(
        self,
        spawner: Spawner,
        timers: dict[Callable[[], None], float],
        state: Callable[[], states.State],
        hear: Callable[[], None],
        refuse: Callable[[str], None],
    ) -> None:
        self._spawner = spawner
        self._timers = timers
        self._state = state
        self._hear = hear
        self._refuse = refuse
        self._command: list[str] = []
        self._trial: int | None = None
        self._words = -1

    def begin(self, command: list[str]) -> None:
        """Try it; the rest follows."""
        if self._trial is not None:
            self._refuse("another one is being tried")
            return
        self._command = command
        try:
            fd = states.write(self._state())
        except (OSError, ValueError) as error:
            self._refuse(f"no copy of the state: {error}")
            return
        order = Order(key="", filename=command[0], argv=[*command, CHECK], redirect_stderr=True)
        try:
            self._trial, streams = self._spawner.spawn(order, fd)
        except SpawnError as error:
            self._refuse(str(error))
            return
        finally:
            os.close(fd)
        assert streams.stdout is not None, "every child has a stdout pipe"
        self._words = streams.stdout
        self._timers[self._give_up] = time.monotonic() + _PATIENCE

    def ended(self, pid: int, status: int) -> bool:
        """Whether this was the trial, which has ended."""
        if pid != self._trial:
            return False
        self._timers.pop(self._give_up, None)
        self._trial, words = None, self._read_words()
        if status == 0:
            # Not from inside of what is going on now.
            self._timers[self._go] = time.monotonic()
        else:
            self._refuse(words or f"it ended with wait status {status}")
        return True

    def _give_up(self) -> None:
        if self._trial is not None:
            os.kill(self._trial, signals.SIGKILL)

    def _read_words(self) -> str:
        try:
            data = os.read(self._words, _WORDS)
        except OSError:
            data = b""
        os.close(self._words)
        return data.decode("utf-8", "replace").strip()

    def _go(self) -> None:
        """Become it.  Comes back only when that is not possible."""
        mask = signals.pthread_sigmask(signals.SIG_BLOCK, signals.valid_signals())
        fds: list[int] = []
        try:
            self._hear()
            state = self._state()
            fds = [*state.fds(), states.write(state)]
            for fd in fds:
                os.set_inheritable(fd, True)
            os.execv(self._command[0], [*self._command, RESUME, str(fds[-1])])
        except (OSError, ValueError) as error:
            for fd in fds:
                os.set_inheritable(fd, False)
            close_all(fds[-1:])
            self._refuse(f"cannot become it: {error}")
        finally:
            signals.pthread_sigmask(signals.SIG_SETMASK, mask)
