"""When the next word is looked for without sleeping; on a clock that only polls move."""

from __future__ import annotations

from proctor.posix.attention import EAGER, LEAST, MOST, PATIENCE, QUICK, Attention, Ready

WORD = [(7, 1)]
LOOK = 1e-6  # What a poll that does not sleep takes.


class Listener:
    """A poll object whose word comes `delay` seconds after the last one was taken."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.now = 0.0
        self.looks = 0
        self.in_vain = 0
        self._due = delay

    def poll(self, timeout: int, /) -> Ready:
        """Sleeps for `timeout` milliseconds at most."""
        self.looks += timeout == 0
        end = self.now + (timeout / 1000 if timeout else LOOK)
        if self._due > end:
            self.now = end
            self.in_vain += timeout == 0
            return []
        self.now = max(self.now, self._due)
        self._due = self.now + self.delay
        return WORD


def hear(attention: Attention, listener: Listener, words: int) -> None:
    """Wait until so many words have come."""
    while words:
        words -= len(attention.wait(listener.now))


def attend(delay: float) -> tuple[Attention, Listener]:
    """To a listener whose words come so many seconds after each other."""
    listener = Listener(delay)
    return Attention(listener, lambda: listener.now), listener


def test_a_quick_listener_is_looked_for() -> None:
    """After a few quick words nobody sleeps any more."""
    attention, listener = attend(EAGER / 10)
    hear(attention, listener, LEAST)
    assert listener.looks == 0
    hear(attention, listener, 1000)
    assert listener.looks >= 1000


def test_a_slow_listener_is_never_looked_for() -> None:
    """It costs what it cost before: a sleep for each word, and for each PATIENCE."""
    attention, listener = attend(2 * QUICK)
    hear(attention, listener, 1000)
    listener.delay = 3 * PATIENCE / 1000
    hear(attention, listener, 1000)
    assert listener.looks == 0


def test_one_that_is_quick_in_between_is_never_looked_for() -> None:
    """RESULT and READY come together, its next answer a long time later."""
    attention, listener = attend(0.0)
    for _ in range(1000):
        for listener.delay in (0.005, 2e-6, 2e-6):
            hear(attention, listener, 1)
    assert listener.looks == 0


def test_looking_in_vain_is_given_up() -> None:
    """Quick enough to tempt, never quick enough to be found: a share of the words that shrinks."""
    attention, listener = attend((EAGER + QUICK) / 2)
    hear(attention, listener, 20 * MOST)
    looked = listener.in_vain * LOOK
    listener.in_vain = 0
    hear(attention, listener, 20 * MOST)
    assert listener.in_vain * LOOK < looked
    assert listener.in_vain * LOOK <= 21 * (EAGER + 2 * LOOK)


def test_one_that_is_quick_again_is_looked_for_again() -> None:
    """A disturbance is forgiven."""
    attention, listener = attend((EAGER + QUICK) / 2)
    hear(attention, listener, 20 * MOST)
    listener.delay = EAGER / 10
    hear(attention, listener, 2 * MOST)
    listener.looks = 0
    hear(attention, listener, 100)
    assert listener.looks >= 100
    # And its next silence costs a look of the first kind again.
    hear(attention, listener, MOST)
    listener.delay = 1.0
    hear(attention, listener, 2)
    listener.delay = EAGER / 10
    hear(attention, listener, 3 * LEAST + 1)
    listener.looks = 0
    hear(attention, listener, 100)
    assert listener.looks >= 100


def test_silence_after_a_flood_costs_one_look() -> None:
    """Then it sleeps, PATIENCE by PATIENCE, as its caller asks."""
    attention, listener = attend(EAGER / 10)
    hear(attention, listener, 1000)
    listener.delay = 60.0
    hear(attention, listener, 1)
    listener.in_vain = 0
    for _ in range(1000):
        assert attention.wait(listener.now) == []
    assert listener.in_vain * LOOK <= EAGER + 2 * LOOK
