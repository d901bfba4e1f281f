"""Who else may write what we read or write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config.a_world import MAIN, START, AWorld, read
from proctor.config.world import RealWorld


def warnings(world: AWorld, text: str = START, **more: str) -> list[str]:
    return [note.text for note in read(text, world, **more).notes if note.level == "warn"]


def test_root_is_told_when_others_may_change_its_configuration() -> None:
    """The files, their directories, and those that are included."""
    include = START + "[include]\nfiles=conf.d/*.ini\n"
    world = AWorld(open_to_all={MAIN, "/etc/conf.d", "/etc/conf.d/web.ini"})
    said = warnings(world, include, web="[program:cat]\ncommand=cat\n")
    assert said == [
        f"{path} says what root runs, and everybody may write there"
        for path in (MAIN, "/etc/conf.d/web.ini", "/etc/conf.d")
    ]
    assert warnings(AWorld(uid=1000, open_to_all={MAIN})) == []


def test_directories_of_logs_in_which_everybody_may_write_are_told() -> None:
    """Once each, for every user."""
    world = AWorld(uid=1000, open_to_all={"/var/log"})
    text = (
        START + "[program:cat]\ncommand=cat\nstdout_logfile=/var/log/a\nstderr_logfile=/var/log/b\n"
    )
    assert warnings(world, text) == [
        "/var/log holds files that we write, and everybody may write there"
    ]


def test_the_real_world_looks_at_owner_and_mode(tmp_path: Path) -> None:
    """/tmp is no danger: there only owners may remove."""
    world = RealWorld()
    assert world.who_else_writes("/tmp", strictly=False) == ""
    assert world.who_else_writes(str(tmp_path), strictly=True) == ""
    assert world.who_else_writes(str(tmp_path / "nope"), strictly=True) == ""
    file = tmp_path / "file"
    file.touch()
    file.chmod(0o666)
    for strictly in (False, True):
        assert world.who_else_writes(str(file), strictly=strictly) == "everybody may write there"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_and_the_group_count_for_a_configuration(tmp_path: Path) -> None:
    """Not for logs."""
    world, file = RealWorld(), tmp_path / "file"
    file.touch(0o664)
    file.chmod(0o664)
    os.chown(file, 0, 65534)
    assert "gid 65534, may write" in world.who_else_writes(str(file), strictly=True)
    os.chown(file, 65534, 65534)
    assert world.who_else_writes(str(file), strictly=True) == "it belongs to uid 65534"
    assert world.who_else_writes(str(file), strictly=False) == ""
