"""Giving up root, and raising limits, each in a child process of its own."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest

from proctor.posix import rlimits, users

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can give up root")

BECOME_NOBODY = """
import os, pwd
from proctor.posix.users import drop_privileges
nobody = pwd.getpwnam("nobody")
drop_privileges(nobody.pw_uid)
assert os.getresuid() == (nobody.pw_uid,) * 3
assert os.getresgid() == (nobody.pw_gid,) * 3
assert nobody.pw_gid in os.getgroups() and 0 not in os.getgroups()
try:
    os.setuid(0)
except PermissionError:
    print("for good")
"""


def run(script: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout.strip()


@as_root
def test_root_is_given_up_for_good() -> None:
    """Real, effective and saved ids change, groups too, and there is no way back."""
    assert run(BECOME_NOBODY) == "for good"


@as_root
def test_an_ordinary_user_cannot_switch() -> None:
    """The text is the original's."""
    script = BECOME_NOBODY + "\ntry:\n    drop_privileges(1)\nexcept Exception as e:\n    print(e)"
    assert run(script).endswith("Can't drop privilege as nonroot user")


def test_a_user_has_its_primary_group_first() -> None:
    """The kernel wants the primary gid among the supplementary groups too."""
    me = users.identity(os.getuid())
    assert me.groups[0] == me.gid


def test_a_low_soft_limit_is_raised_and_said() -> None:
    """Up to the hard limit nothing but the soft one moves."""
    script = """
import resource
from proctor.posix.rlimits import minimums, raise_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
print(raise_limit(minimums(150, 1)[0]), resource.getrlimit(resource.RLIMIT_NOFILE))
print(raise_limit(minimums(150, 1)[0]))
"""
    assert run(script) == "Increased RLIMIT_NOFILE limit to 150 (150, 200)\nNone"


def test_an_impossible_limit_names_the_setting() -> None:
    """The sentence scripts know comes first, then what the machine allows."""
    impossible = rlimits.Minimum("X", resource.RLIMIT_NOFILE, 2**62, "The minimum number is this.")
    with pytest.raises(rlimits.LimitError, match=r"^The minimum number is this\.  The current"):
        rlimits.raise_limit(impossible)
