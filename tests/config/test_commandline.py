"""supervisord's command line: flags from the table, errors in the original's words."""

from __future__ import annotations

import pytest

from config.a_world import AWorld
from proctor.config.commandline import Overrides, UsageError, Wish, parse, usage


@pytest.mark.parametrize(
    ("words", "overrides"),
    [
        ([], Overrides()),
        (["-c", "/x"], Overrides(configuration="/x")),
        (["--configuration=/x", "-n"], Overrides(configuration="/x", values={"nodaemon": True})),
        (["-nc", "/x"], Overrides(configuration="/x", values={"nodaemon": True})),
        (["-uweb"], Overrides(values={"user": 1000})),
        (["-m", "027", "-y1MB"], Overrides(values={"umask": 0o27, "logfile_maxbytes": 1024**2})),
        (["--loglev", "DEBUG"], Overrides(values={"loglevel": "debug"})),
        (["--minprocs=3", "-a", "4"], Overrides(values={"minprocs": 3, "minfds": 4})),
        (
            ["-q", "/tmp", "-d", "/tmp"],
            Overrides(values={"childlogdir": "/tmp", "directory": "/tmp"}),
        ),
        (
            ["-l", "/tmp/l", "-z1", "-j", "/tmp/p", "-i", "a b", "-stk"],
            Overrides(
                values={
                    "logfile": "/tmp/l",
                    "logfile_backups": 1,
                    "pidfile": "/tmp/p",
                    "identifier": "a b",
                    "silent": True,
                    "strip_ansi": True,
                    "nocleanup": True,
                }
            ),
        ),
        (["--profile_options=calls"], Overrides(profile="calls")),
        (["--check", "--json"], Overrides(Wish.CHECK, json=True)),
        (["--check", "--strict"], Overrides(Wish.CHECK, strict=True)),
        (["-v", "-n", "-n"], Overrides(Wish.VERSION)),
        (["-?"], Overrides(Wish.HELP)),
        (["--help"], Overrides(Wish.HELP)),
    ],
)
def test_flags(words: list[str], overrides: Overrides) -> None:
    """Seed B11 among others."""
    assert parse(words, AWorld()) == overrides


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["foo"], "positional arguments are not supported: ['foo']"),
        (["-nc", "x", "y"], "positional arguments are not supported: ['y']"),
        (["--x"], "option --x not recognized"),
        (
            ["--confg", "x"],
            "option --confg not recognized\n  hint: did you mean --configuration?",
        ),
        (["--chekc"], "option --chekc not recognized\n  hint: did you mean --check?"),
        (["-X"], "option -X not recognized"),
        (["-c"], "option -c requires argument"),
        (["--configuration"], "option --configuration requires argument"),
        (["--nodaemon=3"], "option --nodaemon must not have an argument"),
        (["--lo", "x"], "option --lo not a unique prefix"),
        (["-n", "-n"], "conflicting command line option '-n'"),
        (["-e", "info", "--loglevel=debug"], "conflicting command line option '--loglevel'"),
        (["-e", "foo"], "invalid value for -e 'foo': bad logging level name 'foo'"),
        (
            ["--umask", "99"],
            "invalid value for --umask '99': 99 can not be converted to an octal type",
        ),
        (["-q", "/nope"], "invalid value for -q '/nope': /nope is not an existing directory"),
        (["-u", "nope"], "Invalid user name nope"),
    ],
)
def test_what_cannot_be_understood_is_refused_in_the_originals_words(
    words: list[str], text: str
) -> None:
    with pytest.raises(UsageError) as refused:
        parse(words, AWorld())
    assert str(refused.value) == text


def test_the_usage_names_every_flag() -> None:
    text = usage("supervisord")
    for flag in (
        "-c, --configuration=VALUE",
        "-n, --nodaemon\n",
        "-u, --user=VALUE",
        "--minprocs=",
    ):
        assert flag in text
