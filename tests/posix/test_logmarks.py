"""The output of a run is found again where its log still holds it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from proctor.posix.logfile import LogFile
from proctor.posix.logmarks import Mark, mark, output_between

MANY = 1 << 20


def a_mark(path: Path) -> Mark:
    """The end of the log as it is now."""
    fd = os.open(path, os.O_RDONLY | os.O_CREAT, 0o600)
    try:
        found = mark(str(path), fd)
    finally:
        os.close(fd)
    assert found is not None
    return found


def test_a_run_is_what_lies_between_two_marks(tmp_path: Path) -> None:
    """From its beginning to the beginning of the next; the latest goes to the end."""
    log = tmp_path / "log"
    log.write_bytes(b"zero\n")
    first = a_mark(log)
    log.write_bytes(b"zero\none\n")
    second = a_mark(log)
    log.write_bytes(b"zero\none\ntwo\n")

    assert output_between(first, second, MANY) == (b"one\n", True)
    assert output_between(second, None, MANY) == (b"two\n", True)
    assert output_between(first, None, 6) == (b"e\ntwo\n", False)


def test_a_mark_survives_rotations(tmp_path: Path) -> None:
    """The bytes are found over all backups; what was rotated away is said to be gone."""
    path = tmp_path / "log"
    log = LogFile(str(path), 100, 3)
    log.write(b"before\n")
    begin = a_mark(path)
    data = b"".join(b"%06d\n" % number for number in range(25))
    log.write(data)
    end = a_mark(path)
    log.write(b"after\n")
    assert (tmp_path / "log.1").exists()
    assert output_between(begin, end, MANY) == (data, True)

    log.write(b"".join(b"%06d\n" % number for number in range(25, 60)))
    found = output_between(begin, end, MANY)
    assert found is not None
    assert not found[1]
    assert data.endswith(found[0])

    log.write(b"x" * 6 + b"\n" * 400)
    log.write((b"y" * 6 + b"\n") * 100)
    assert output_between(begin, end, MANY) is None
    log.close()


def test_another_file_with_the_same_inode_is_not_taken_for_it(tmp_path: Path) -> None:
    """Its first bytes are others: it is read from its own beginning, and not said to be all."""
    log = tmp_path / "log"
    log.write_bytes(b"old words\n")
    begin = a_mark(log)
    log.write_bytes(b"new words that are longer\n")
    assert output_between(begin, None, MANY) == (b"new words that are longer\n", False)


def test_the_latest_run_is_shown_as_far_as_its_log_holds_it(tmp_path: Path) -> None:
    """One that wrote more than all backups hold, and one whose log was cleared meanwhile."""
    path = tmp_path / "log"
    log = LogFile(str(path), 100, 2)
    log.write(b"before\n")
    begin = a_mark(path)
    log.write(b"".join(b"%06d\n" % number for number in range(200)))
    found = output_between(begin, None, MANY)
    assert found is not None
    assert not found[1]
    assert found[0].endswith(b"000198\n000199\n")
    log.close()

    for each in tmp_path.iterdir():
        each.unlink()
    path.write_bytes(b"")
    assert output_between(begin, None, MANY) is None
    path.write_bytes(b"after\n")
    assert output_between(begin, None, MANY) == (b"after\n", False)


def test_an_earlier_run_whose_log_was_cleared_is_gone(tmp_path: Path) -> None:
    """It is not shown as a run that wrote nothing."""
    log = tmp_path / "log"
    log.write_bytes(b"zero\n")
    first = a_mark(log)
    log.write_bytes(b"")
    second = a_mark(log)
    log.write_bytes(b"two\n")
    assert output_between(first, second, MANY) is None
    assert output_between(second, None, MANY) == (b"two\n", True)


def test_a_mark_as_text(tmp_path: Path) -> None:
    """Colons in a path do no harm; what is no mark is none."""
    path = tmp_path / "a:b"
    assert Mark.from_text(a_mark(path).as_text()) == a_mark(path)
    assert Mark.from_text("") is None
    assert Mark.from_text("1:2:x:4:/log") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes links of others")
def test_a_planted_link_among_the_backups_is_not_read(tmp_path: Path) -> None:
    """Else whoever owns the directory of a log could have root show any file to those who may ask
    for the output of a run.
    """
    path, secret = tmp_path / "log", tmp_path / "secret"
    secret.write_bytes(b"secret\n")
    path.write_bytes(b"first\n")
    begin = a_mark(path)
    path.rename(tmp_path / "kept")
    path.write_bytes(b"second\n")
    end = a_mark(path)
    (tmp_path / "log.1").symlink_to(secret)
    os.chown(tmp_path / "log.1", 65534, 65534, follow_symlinks=False)

    with pytest.raises(OSError, match="belongs to uid 65534"):
        output_between(begin, end, MANY)
