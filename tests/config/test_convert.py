"""Each kind of value: what it takes, and the words in which it refuses."""

from __future__ import annotations

import pytest

from config.a_world import AWorld
from proctor.config import convert
from proctor.config.convert import Kind
from proctor.core.spec import AutoRestart

GOOD: list[tuple[Kind[object], str, object]] = [
    (convert.INTEGER, " +3 ", 3),
    (convert.INTEGER, "1_000", 1000),
    (convert.BOOLEAN, "YES", True),
    (convert.BOOLEAN, "off", False),
    (convert.BYTE_SIZE, "50MB", 50 * 1024 * 1024),
    (convert.BYTE_SIZE, "1 kb", 1024),
    (convert.BYTE_SIZE, "-1GB", 0),
    (convert.BYTE_SIZE, "0", 0),
    (convert.FILE_MODE, "0o22", 0o22),
    (convert.FILE_MODE, "022", 0o22),
    (convert.LOG_LEVEL, "BLATHER", "blather"),
    (convert.SIGNAL, "sigint", 2),
    (convert.SIGNAL, "Term", 15),
    (convert.SIGNAL, " 15 ", 15),
    (convert.SIGNAL, "0", 0),
    (convert.AUTO_RESTART, "Unexpected", AutoRestart.UNEXPECTED),
    (convert.AUTO_RESTART, "on", AutoRestart.ALWAYS),
    (convert.AUTO_RESTART, "0", AutoRestart.NEVER),
    (convert.EXIT_CODES, "0, 2", (0, 2)),
    (convert.EXIT_CODES, "", ()),
    (convert.USER, "web", 1000),
    (convert.USER, "1000", 1000),
    (convert.OWNER, "web", (1000, 1001)),
    (convert.OWNER, "web:staff", (1000, 50)),
    (convert.OWNER, "0:0", (0, 0)),
    (convert.DIRECTORY, "/tmp", "/tmp"),
    (convert.FILE_PATH, "x.log", "x.log"),
    (convert.FILE_PATH, "/var/log/x", "/var/log/x"),
    (convert.CHILD_LOG, "off", "NONE"),
    (convert.CHILD_LOG, "auto", "AUTO"),
    (convert.CHILD_LOG, "", ""),
    (convert.INET_ADDRESS, "9001", ("", 9001)),
    (convert.INET_ADDRESS, "*:9001", ("", 9001)),
    (convert.INET_ADDRESS, ":9001", ("", 9001)),
    (convert.INET_ADDRESS, "LocalHost:9001", ("localhost", 9001)),
    (convert.NAME, " 中文;x ", "中文;x"),
    (convert.SOCKET_URL, "tcp://localhost:1", "tcp://localhost:1"),
    (convert.SOCKET_URL, "unix:///a/b", "unix:///a/b"),
    (convert.WORDS, " a , b", ("a", "b")),
    (convert.WORDS, "a,", ("a", "")),
    (convert.WORDS, " ", ()),
]

BAD: list[tuple[Kind[object], str, str]] = [
    (convert.INTEGER, "l", "invalid literal for int() with base 10: 'l'"),
    (convert.BOOLEAN, "", "not a valid boolean value: ''"),
    (convert.BYTE_SIZE, "1M", "invalid literal for int() with base 10: '1m'"),
    (convert.BYTE_SIZE, "1.5MB", "invalid literal for int() with base 10: '1.5'"),
    (convert.FILE_MODE, "99", "99 can not be converted to an octal type"),
    (convert.LOG_LEVEL, "Loud", "bad logging level name 'Loud'"),
    (convert.SIGNAL, "FOO", "value 'FOO' is not a valid signal name"),
    (convert.SIGNAL, "99", "value '99' is not a valid signal number"),
    (convert.AUTO_RESTART, "**true**", "invalid 'autorestart' value '**true**'"),
    (convert.EXIT_CODES, "0,,1", "not a valid list of exit codes: '0,,1'"),
    (convert.EXIT_CODES, "256", "not a valid list of exit codes: '256'"),
    (convert.USER, "nope", "Invalid user name nope"),
    (convert.USER, "4711", "Invalid user id 4711"),
    (convert.DIRECTORY, "/nope", "/nope is not an existing directory"),
    (convert.DIRECTORY, "", " is not an existing directory"),
    (
        convert.FILE_PATH,
        "/nope/x",
        "The directory named as part of the path /nope/x does not exist",
    ),
    (convert.INET_ADDRESS, "abc", "not a valid port number: 'abc' "),
    (convert.INET_ADDRESS, "0", "not a valid port number: '0' "),
    (convert.INET_ADDRESS, "h:", "no port number specified in ''"),
    (convert.INET_ADDRESS, "h:0", "0 is below lower bound (1)"),
    (convert.INET_ADDRESS, "h:99999", "99999 is above upper bound (65535)"),
    (convert.NAME, "a b", "Invalid name: 'a b' because of character: ' '"),
    (convert.NAME, "a:b", "Invalid name: 'a:b' because of character: ':'"),
    (convert.NAME, "a/b", "Invalid name: 'a/b' because of character: '/'"),
    (convert.SOCKET_URL, "foo", "('Bad socket format %s', 'foo')"),
    (
        convert.SOCKET_URL,
        "unix://foo",
        "('Unix socket path %s is not an absolute path', 'foo')",
    ),
    (convert.SOCKET_URL, "tcp://h:0", "0 is below lower bound (1)"),
]


@pytest.mark.parametrize(("kind", "text", "value"), GOOD)
def test_a_good_value(kind: Kind[object], text: str, value: object) -> None:
    assert kind.parse(text, AWorld()) == value


@pytest.mark.parametrize(("kind", "text", "words"), BAD)
def test_a_bad_value_is_refused_in_the_originals_words(
    kind: Kind[object], text: str, words: str
) -> None:
    with pytest.raises(ValueError, match=r".*") as refused:
        kind.parse(text, AWorld())
    assert str(refused.value) == words
