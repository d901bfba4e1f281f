"""What waits for its channel: on disk, bounded, in order, once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from proctor.listeners.alert_queue import Message, Queue
from support.waiting import GENEROUS


def message(number: int, channel: str = "c") -> Message:
    """Number `number`."""
    return Message(number, channel, f"title {number}", "text", 1e9, processes=("a:b",))


class Kept:
    """Queues of one directory, one after the other; `said` is the log."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.said: list[str] = []
        self.queue = self.open()

    def open(self, keep: int = 3) -> Queue:
        """The next one."""
        if hasattr(self, "queue"):
            self.queue.close()
        self.queue = Queue(str(self.directory), keep, self.said.append)
        return self.queue

    def numbers(self) -> list[int]:
        """What waits for channel `c`, and is delivered now."""
        found = []
        while any(self.directory.glob("*-c.json")):
            found.append(self.queue.wait("c")[0])
            self.queue.done(found[-1])
        return [each.number for each in found]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """A directory that does not exist yet."""
    kept = Kept(tmp_path / "some" / "queue")
    yield kept
    kept.queue.close()


def test_messages_outlive_the_process(kept: Kept) -> None:
    """In order, as they were; the directory is nobody else's business."""
    kept.queue.put(message(1))
    kept.queue.put(message(2))
    assert kept.directory.stat().st_mode & 0o777 == 0o700
    assert kept.open().wait("c") == (message(1), 0)
    assert kept.queue.next_number == 3
    assert kept.numbers() == [1, 2]
    assert kept.open().next_number == 0


def test_the_same_number_is_the_same_message(kept: Kept) -> None:
    """What is made again after a crash replaces what was made before it."""
    kept.queue.put(message(1))
    kept.open().put(message(1))
    assert kept.numbers() == [1]


def test_the_oldest_makes_room(kept: Kept) -> None:
    """It is said, and the next that gets through can say it."""
    for number in range(5):
        kept.queue.put(message(number))
    assert kept.said == [f"dropped 'title {n}': the queue is full" for n in (0, 1)]
    assert kept.queue.wait("c") == (message(2), 2)
    kept.queue.done(message(2))
    assert kept.queue.wait("c") == (message(3), 0)


def test_channels_wait_for_themselves(kept: Kept) -> None:
    """And what waits for a channel that is gone goes, too."""
    kept.queue.put(message(1, "other"))
    kept.queue.put(message(2))
    assert kept.queue.wait("c")[0].number == 2
    kept.open().discard_all_but({"c"})
    assert kept.said == ["dropped 'title 1': its channel is no longer configured"]
    assert [path.name for path in kept.directory.glob("*.json")] == ["000000000002-c.json"]


def test_whoever_waits_hears_of_a_message(kept: Kept) -> None:
    """At once."""
    found: list[int] = []
    waiter = threading.Thread(target=lambda: found.append(kept.queue.wait("c")[0].number))
    waiter.start()
    kept.queue.put(message(4))
    waiter.join(GENEROUS)
    assert found == [4]


def test_the_state(kept: Kept) -> None:
    """What was saved last, in this process or an earlier one."""
    assert kept.queue.state() is None
    kept.queue.save({"next": 1})
    kept.queue.save({"next": 2})
    assert kept.open().state() == {"next": 2}


def test_a_directory_is_used_by_one_process(kept: Kept) -> None:
    """A second one is refused."""
    with pytest.raises(BlockingIOError):
        Queue(str(kept.directory), 3, kept.said.append)


def test_files_that_cannot_be_understood(kept: Kept) -> None:
    """They are left alone, and do no harm."""
    (kept.directory / "000000000001-c.json").write_text("{")
    (kept.directory / "000000000002-c.json").write_text('{"number": 2}')
    (kept.directory / "state.json").write_text("no")
    kept.open()
    assert kept.queue.state() is None
    assert [line.partition(":")[0].rpartition("/")[2] for line in kept.said] == [
        "000000000001-c.json", "000000000002-c.json", "state.json",
    ]  # fmt: skip


def test_a_disk_that_refuses(kept: Kept) -> None:
    """Messages live on in memory; that is said once, until it works again."""
    block = kept.directory / ".state.json"
    block.mkdir()
    (kept.directory / ".000000000001-c.json").mkdir()
    kept.queue.put(message(1))
    kept.queue.save({"next": 2})
    assert len(kept.said) == 1
    assert "going on in memory" in kept.said[0]
    assert kept.queue.wait("c")[0] == message(1)
    block.rmdir()
    kept.queue.save({"next": 2})
    assert kept.queue.state() == {"next": 2}
