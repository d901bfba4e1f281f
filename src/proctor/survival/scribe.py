"""Scribe: the thread that writes the journal, so that the daemon's loop never waits for the disk.

1. It starts with the first entry and sleeps until the next; sqlite3 is loaded in it.  Where there
   is no file, no run was left in it, and that is no reason to begin one.  What can go wrong with a
   disk goes for the loading, too.
2. What has piled up while it wrote is one commit.  It is woken a little later (`soon`): with its
   Python and its commit it would be in the way of what the entries are about.
3. While the file cannot be written, entries are kept up to a bound (then the oldest go, counted)
   and tried again with the next entry, or after RETRY seconds.  One line an interval says so.
4. `after` is answered when everything before it is on the disk, or when that did not work: nobody
   waits for a disk that is full.
5. A damaged file is put aside and a new one begun.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue

from proctor.survival.entries import Entry, Left
from proctor.survival.evidence import Witness
from proctor.survival.ledger import Ledger, is_damaged, put_aside

MOST = 5000
# How many ends the keeper keeps for us, with their pipes, while a disk is frozen.
MOST_WAITING = 1000
BATCH = 500
RETRY = 10.0
INTERVAL = 60.0

Post = Callable[[Callable[[], None]], None]


def at_once(callback: Callable[[], None]) -> None:
    """As `soon`: when there is nothing that it could be in the way of."""
    callback()


class _Barrier:
    """Somebody wants to know when everything before this is written."""


class _Stop:
    """The last item."""


class _Suspect:
    """Somebody who read the file found it damaged."""


_Item = Entry | _Barrier | _Stop | _Suspect


class Scribe:
    """`post` runs a callback on the loop; `say` is called there with what is wrong.

    `soon` calls back on the loop, when that has time; what is written until then is written with
    it.
    """

    def __init__(
        self,
        path: str,
        post: Post,
        say: Callable[[str], None],
        *,
        maxbytes: int = 0,
        maxdays: int = 0,
        retry: float = RETRY,
        soon: Post = at_once,
    ) -> None:
        self.path = path
        self._bounds = (maxbytes, maxdays)
        self._loop_post = post
        self._say = say
        self._retry = retry
        self._soon = soon
        self._gathered: list[_Item] = []
        self._queue: SimpleQueue[_Item] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._waiting: deque[Callable[[], None]] = deque()
        # Counted by the loop, told by the thread.
        self._dropped = 0
        # What follows belongs to the thread.
        self._ledger: Ledger | None = None
        self._kept: list[Entry] = []
        self._lost = 0
        self._dropped_told = 0
        self._told_at: float | None = None

    # On the loop

    def write(self, entry: Entry) -> None:
        """Write it soon."""
        if self._closed or self._waits() > MOST:
            self._dropped += 1
            return
        self._put(entry)

    def after(self, done: Callable[[], None]) -> None:
        """Call `done` on the loop when what was written before is on the disk, or cannot be.

        At once when nothing was ever written, or too much waits already.
        """
        too_many = self._waits() > MOST or len(self._waiting) >= MOST_WAITING
        nothing = self._thread is None and not self._gathered
        if nothing or self._closed or too_many:
            done()
        else:
            self._waiting.append(done)
            self._put(_Barrier())

    def suspect(self) -> None:
        """Somebody who read the file found it damaged: look, and begin a new one if that is so."""
        if not self._closed:
            self._put(_Suspect())

    def close(self, patience: float = 2.0) -> None:
        """Write what is there within `patience` seconds; who waits is answered in any case."""
        if self._closed:
            return
        self._closed = True
        self._hand_over()
        if self._thread is not None:
            self._queue.put(_Stop())
            self._thread.join(patience)
        while self._waiting:
            self._answer()

    def _answer(self) -> None:
        """The one who has waited longest."""
        if self._waiting:
            self._waiting.popleft()()

    def _waits(self) -> int:
        return len(self._gathered) + self._queue.qsize()

    def _put(self, item: _Item) -> None:
        self._gathered.append(item)
        if len(self._gathered) == 1:
            self._soon(self._hand_over)

    def _hand_over(self) -> None:
        items, self._gathered = self._gathered, []
        if items and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
            self._thread.start()
        for item in items:
            self._queue.put(item)

    # In the thread

    def _run(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        witness = Witness()
        going = True
        while going:
            items = self._next_items()
            going = not any(isinstance(item, _Stop) for item in items)
            if any(isinstance(item, _Suspect) for item in items):
                self._look_for_damage()
            plain = [item for item in items if not isinstance(item, _Barrier | _Stop | _Suspect)]
            self._keep(witness.complete(plain))
            self._write_kept()
            for item in items:
                if isinstance(item, _Barrier):
                    self._post(self._answer)
        self._shut()

    def _next_items(self) -> list[_Item]:
        """Everything that waits; [] when it is time to try again."""
        items: list[_Item] = []
        with suppress(Empty):
            # No time-out, so no wake-up, unless something could not be written.
            items.append(self._queue.get(timeout=self._retry if self._kept else None))
            while len(items) < BATCH:
                items.append(self._queue.get_nowait())
        return items

    def _keep(self, entries: Sequence[Entry]) -> None:
        self._kept += entries
        too_many = len(self._kept) - MOST
        if too_many > 0:
            self._lost += too_many
            del self._kept[:too_many]

    def _write_kept(self) -> None:
        if self._ledger is None and not self._has_reason_to_begin():
            self._kept.clear()
        if not (self._kept and self._loads_sqlite()):
            return
        import sqlite3

        for attempt in (1, 2):
            try:
                if self._ledger is None:
                    self._ledger = Ledger(self.path, *self._bounds)
                self._ledger.write(self._kept, time.time())
            except sqlite3.Error as error:
                if attempt == 1 and is_damaged(error):
                    self._begin_anew(str(error))
                    continue
                self._failed(str(error))
            except OSError as error:
                self._failed(error.strerror or str(error))
            else:
                self._kept.clear()
                self._works()
            return

    def _has_reason_to_begin(self) -> bool:
        return any(not isinstance(entry, Left) for entry in self._kept) or os.path.lexists(
            self.path
        )

    def _loads_sqlite(self) -> bool:
        """Errors of SQLite are known by what the module calls them, so it comes first."""
        try:
            import sqlite3  # noqa: F401
        except (ImportError, OSError) as error:
            # Too many files are open, or Python was replaced.
            self._failed(f"cannot load sqlite3: {error}")
            return False
        return True

    def _look_for_damage(self) -> None:
        if not self._loads_sqlite():
            return
        import sqlite3

        # With fresh eyes: what is in memory may be sound while the file is not.
        self._shut()
        try:
            self._ledger = Ledger(self.path, *self._bounds)
            trouble = self._ledger.trouble()
        except sqlite3.Error as error:
            trouble = str(error) if is_damaged(error) else ""
        except OSError:
            trouble = ""
        if trouble:
            self._begin_anew(trouble)

    def _begin_anew(self, reason: str) -> None:
        self._shut()
        try:
            aside = put_aside(self.path)
        except OSError as error:
            self._failed(f"{reason}, and cannot be put aside: {error.strerror}")
            return
        self._tell(
            f"the journal {self.path} is damaged ({reason}): kept as {aside}, beginning anew"
        )

    def _failed(self, reason: str) -> None:
        self._shut()
        now = time.monotonic()
        if self._told_at is None or now - self._told_at >= INTERVAL:
            self._told_at = now
            self._tell(f"cannot write the journal {self.path}: {reason}; will try again")

    def _works(self) -> None:
        dropped = self._dropped
        lost = self._lost + dropped - self._dropped_told
        if self._told_at is not None or lost:
            self._tell(f"can write the journal {self.path} again; {lost} entries lost")
            self._told_at, self._lost, self._dropped_told = None, 0, dropped

    def _shut(self) -> None:
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None

    def _tell(self, text: str) -> None:
        self._post(lambda: self._say(text))

    def _post(self, callback: Callable[[], None]) -> None:
        # RuntimeError: the loop is closed, nobody is left to hear it.
        with suppress(RuntimeError):
            self._loop_post(callback)
