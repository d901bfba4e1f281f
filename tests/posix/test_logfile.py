"""Regular log files: writing, clearing, reading (compat logging.md, sections 2, 4, 8 and 9)."""

from __future__ import annotations

import errno
import os
from contextlib import closing
from pathlib import Path

import pytest

from drain_desk import log_files, numbered_lines, whole_log
from proctor.core.faults import Fault, FaultCode
from proctor.posix.logfile import LogFile, read_range, tail_range
from proctor.posix.siblings import Siblings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def hello(path: Path) -> str:
    path.write_bytes(b"hello world\n")
    return str(path)


def test_it_is_appended_to(path: Path) -> None:
    """What a run before this one has written stays."""
    path.write_bytes(b"old\n")
    with closing(LogFile(str(path), 0, 0)) as log:
        assert log.write(b"new\n") == 4
    assert path.read_bytes() == b"old\nnew\n"


def test_it_is_opened_or_the_reason_is_told(tmp_path: Path) -> None:
    """And nothing stays open, however often it is tried (scenario row 6)."""
    (tmp_path / "file").touch()
    before = len(os.listdir("/dev/fd"))
    for name, number in (("", errno.EISDIR), ("no/log", errno.ENOENT), ("file/log", errno.ENOTDIR)):
        for _ in range(100):
            with pytest.raises(OSError, match=str(tmp_path)) as caught:
                LogFile(str(tmp_path / name), 0, 0)
            assert caught.value.errno == number
    assert len(os.listdir("/dev/fd")) <= before


def test_a_file_over_its_limit_is_rotated_before_it_grows(path: Path) -> None:
    """For instance when the limit was lowered."""
    path.write_bytes(numbered_lines(10))
    with closing(LogFile(str(path), 500, 2)) as log:
        log.write(b"new\n")
    assert [file.read_bytes() for file in log_files(path)] == [numbered_lines(10), b"new\n"]


def test_the_last_line_of_a_run_before_is_ended_first(path: Path) -> None:
    """The file was left in the middle of a line."""
    path.write_bytes(b"x" * 500)
    with closing(LogFile(str(path), 500, 2)) as log:
        log.write(b"end\nnew\n")
    assert [file.read_bytes() for file in log_files(path)] == [b"x" * 500 + b"end\n", b"new\n"]


def test_new_files_have_the_mode_of_the_old(path: Path) -> None:
    """After rotation, clear and deletion (gotcha G59)."""
    with closing(LogFile(str(path), 10, 2, mode=0o600)) as log:
        log.write(b"1234567\n" * 3)
        log.clear()
        assert path.stat().st_mode & 0o777 == 0o600
        path.unlink()
        log.write(b"x")
    assert {file.stat().st_mode & 0o777 for file in log_files(path)} == {0o600}


def test_without_backups_the_log_begins_anew(path: Path) -> None:
    """And whoever reads the old one can finish it."""
    with closing(LogFile(str(path), 10, 0)) as log:
        log.write(b"1234567\n")
        with path.open("rb") as reader:
            log.write(b"abcdefg\n")
            assert reader.read() == b"1234567\n"
    assert log_files(path) == [path]
    assert path.read_bytes() == b"abcdefg\n"


def test_a_backup_that_is_missing_is_no_obstacle(path: Path) -> None:
    """Somebody tidied up."""
    with closing(LogFile(str(path), 8, 3)) as log:
        log.write(numbered_lines(4, 16))
        (path.parent / "log.2").unlink()
        log.write(b"last\n")
    assert whole_log(path).endswith(b"last\n")


def test_clear_empties_the_log_and_keeps_backups(path: Path) -> None:
    """Also when it was deleted before."""
    with closing(LogFile(str(path), 8, 3)) as log:
        log.write(numbered_lines(2, 16))
        backups = len(log_files(path))
        log.write(b"abc\n")
        log.clear()
        assert path.read_bytes() == b""
        path.unlink()
        log.clear()
        log.write(b"new\n")
    assert path.read_bytes() == b"new\n"
    assert len(log_files(path)) == backups


def test_reopen_that_fails_keeps_the_old_file(path: Path) -> None:
    """Bytes still have a place to go."""
    with closing(LogFile(str(path), 0, 0)) as log:
        path.rename(path.with_name("moved"))
        path.mkdir()
        with pytest.raises(IsADirectoryError):
            log.reopen()
        log.write(b"saved\n")
    assert path.with_name("moved").read_bytes() == b"saved\n"


def test_a_symbolic_link_is_renamed_and_not_its_target(path: Path) -> None:
    """As in the original."""
    target = path.with_name("target")
    path.symlink_to(target)
    with closing(LogFile(str(path), 10, 1)) as log:
        log.write(b"1234567\nabcdefg\n")
    assert path.with_name("log.1").is_symlink()
    assert target.read_bytes() == b"1234567\n"
    assert path.read_bytes() == b"abcdefg\n"


def test_what_follows_a_loss_begins_on_a_line_of_its_own(path: Path) -> None:
    """So that no line is glued to the torn one."""
    with closing(LogFile(str(path), 0, 0)) as log:
        log.write(b"torn")
        log.mark_gap()
        log.write(b"whole\n")
        log.mark_gap()
        log.write(b"next\n")
    assert path.read_bytes() == b"torn\nwhole\nnext\n"


def test_siblings_follow_the_one_that_replaces_the_file(path: Path) -> None:
    """Rotation, clear and reopen: all write to the same file afterwards."""
    complaints = list[str]()
    siblings = Siblings(complaints.append)
    logs = [LogFile(str(path), 20, 2) for _ in range(3)]
    for log in logs:
        siblings.add(log)
    for step in (lambda: logs[0].write(b"x" * 19 + b"\n"), logs[1].clear, logs[2].reopen):
        step()
        assert len({os.fstat(log.fd).st_ino for log in logs}) == 1
        assert os.path.samestat(os.fstat(logs[0].fd), path.stat())
    for log in logs:
        siblings.remove(log)
        log.close()
    assert not siblings._families
    assert not complaints


def test_a_newcomer_whose_file_was_rotated_away_writes_to_the_present_one(path: Path) -> None:
    """It was opened before its child was spawned; nothing is rotated a second time for it."""
    siblings = Siblings(lambda _text: None)
    first = LogFile(str(path), 100, 1)
    siblings.add(first)
    first.write(b"x" * 89 + b"\n")
    newcomer = LogFile(str(path), 100, 1)
    first.write(b"y" * 49 + b"\n")
    siblings.add(newcomer)
    newcomer.write(b"z" * 19 + b"\n")
    files = [file.read_bytes() for file in log_files(path)]
    assert files == [b"x" * 89 + b"\n", b"y" * 49 + b"\n" + b"z" * 19 + b"\n"]
    first.close()
    newcomer.close()


def test_a_newcomer_that_cannot_be_opened_again_keeps_its_file(path: Path) -> None:
    """It is said; and others with this log are left alone."""
    complaints = list[str]()
    siblings = Siblings(complaints.append)
    with closing(LogFile(str(path), 0, 0)) as log:
        path.rename(path.with_name("old"))
        path.mkdir()
        siblings.add(log)
        log.write(b"hello\n")
    assert path.with_name("old").read_bytes() == b"hello\n"
    assert complaints == [f"cannot reopen {path}: Is a directory"]


def test_a_large_family_follows_too(path: Path) -> None:
    """numprocs=400 with one log: one after the other, not one inside the other."""
    siblings = Siblings(lambda _text: None)
    logs = [LogFile(str(path), 20, 2) for _ in range(400)]
    for log in logs:
        siblings.add(log)
    logs[0].write(b"x" * 19 + b"\n")
    assert {os.fstat(log.fd).st_ino for log in logs} == {path.stat().st_ino}
    for log in logs:
        log.close()


def test_the_oldest_backup_goes_before_another_takes_its_name(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ext4 writes a file that replaces another one to the disk, at once and at our expense."""
    rename = os.rename

    def check(old: str, new: str) -> None:
        assert not os.path.exists(new)
        rename(old, new)

    monkeypatch.setattr(os, "rename", check)
    log = LogFile(str(path), 10, 2)
    for number in range(5):
        log.write(b"%09d\n" % number)
    log.close()
    backups = [Path(f"{path}.{number}").read_bytes() for number in (1, 2)]
    assert backups == [b"000000004\n", b"000000003\n"]


def test_a_backup_beyond_a_gap_stays(path: Path) -> None:
    """As in the original: only what has to make room goes."""
    Path(f"{path}.3").write_bytes(b"old")
    log = LogFile(str(path), 10, 3)
    log.write(b"x" * 9 + b"\n")
    log.close()
    assert Path(f"{path}.3").read_bytes() == b"old"


def test_a_mode_that_cannot_be_set_costs_no_descriptor(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems know no modes."""

    def refuse(_fd: int, _mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    log = LogFile(str(path), 0, 0)
    monkeypatch.setattr(os, "fchmod", refuse)
    before = len(os.listdir("/dev/fd"))
    log.clear()
    assert len(os.listdir("/dev/fd")) <= before
    log.write(b"goes on\n")
    assert path.read_bytes() == b"goes on\n"
    log.close()


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [
        (0, 0, b"hello world\n"),
        (6, 0, b"world\n"),
        (0, 5, b"hello"),
        (6, 100, b"world\n"),
        (-6, 0, b"world\n"),
        (-100, 0, b"hello world\n"),
        (12, 0, b""),
        (100, 5, b""),
        (100, 0, b""),
    ],
)
def test_a_range_is_read(hello: str, offset: int, length: int, expected: bytes) -> None:
    """The table of logging.md, section 9."""
    assert read_range(hello, offset, length) == expected


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (-1, -1), (0, -1), (100, -1)])
def test_a_range_that_makes_no_sense_is_refused(hello: str, offset: int, length: int) -> None:
    """BAD_ARGUMENTS, without detail."""
    with pytest.raises(Fault) as caught:
        read_range(hello, offset, length)
    assert caught.value.text == "BAD_ARGUMENTS"


def test_a_log_that_is_not_there_or_no_file(path: Path, tmp_path: Path) -> None:
    """NO_FILE for a missing one, FAILED for one that cannot be read; a FIFO does not block."""
    os.mkfifo(tmp_path / "fifo")
    for name, code in (
        (None, FaultCode.NO_FILE),
        (str(path), FaultCode.NO_FILE),
        (str(tmp_path), FaultCode.FAILED),
        (str(tmp_path / "fifo"), FaultCode.FAILED),
    ):
        with pytest.raises(Fault) as caught:
            read_range(name, 0, 0)
        assert caught.value.code == code
    assert tail_range(str(path), 7, 5) == (b"", 0, False)
    assert tail_range(None, 7, 5) == (b"", 0, False)
    assert tail_range(str(tmp_path), 7, 5) == (b"", 7, False)


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [
        (0, 5, (b"orld\n", 12, True)),
        (8, 7, (b" world\n", 12, False)),
        (0, 100, (b"hello world\n", 12, False)),
        (11, 5, (b"orld\n", 12, False)),
        (5, 7, (b" world\n", 12, False)),
        (12, 5, (b"", 12, False)),
        (50, 5, (b"", 12, False)),
        (0, 0, (b"", 12, True)),
        (12, 0, (b"", 12, False)),
    ],
)
def test_the_end_is_read(
    hello: str, offset: int, length: int, expected: tuple[bytes, int, bool]
) -> None:
    """The table of logging.md, section 9, with what was verified on the original."""
    assert tail_range(hello, offset, length) == expected
