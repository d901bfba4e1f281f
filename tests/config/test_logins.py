"""[user:x], [api_token:x], peer_roles: who may come in, and which files are refused."""

from __future__ import annotations

import pytest

from config.a_world import MAIN, AWorld, mistake, mistakes, read
from proctor.config.commandline import Overrides
from proctor.config.load import check_file
from proctor.core.caller import Role
from proctor.core.logins import Login, PeerRole
from proctor.core.passwords import hashed

START = "[supervisord]\n"
HASH = hashed(b"hunter2", b"0123456789abcdef")
DIGEST = "ab" * 32


def test_a_user_has_a_role_groups_and_perhaps_logs() -> None:
    """The least is the default: look, at everything, but not into logs."""
    text = f"[user:alice]\npassword_hash={HASH}\n[user:bob]\npassword_hash={HASH}\n"
    text += "role=operate\ngroups=web*, db\nlogs=off\n"
    alice, bob = read(START + text).logins.users
    assert alice == Login("alice", HASH, Role.VIEW, reads_logs=False, groups=("*",))
    assert bob == Login("bob", HASH, Role.OPERATE, reads_logs=False, groups=("web*", "db"))


def test_whoever_operates_reads_logs_unless_told_otherwise() -> None:
    """And a viewer does when that is configured."""
    text = f"[user:a]\npassword_hash={HASH}\nrole=operate\n[user:b]\npassword_hash={HASH}\nlogs=on"
    assert [user.reads_logs for user in read(START + text).logins.users] == [True, True]


def test_a_token_may_expire() -> None:
    """A day begins in UTC."""
    text = f"[api_token:ci]\ntoken_hash=sha256${DIGEST}\nrole=admin\nexpires=1970-01-02"
    (token,) = read(START + text).logins.tokens
    assert (token.name, token.secret, token.expires) == ("ci", DIGEST, 86400.0)


def test_peers_have_roles_by_user_group_or_none() -> None:
    """In the order in which they are asked."""
    text = "[unix_http_server]\nfile=/s\npeer_roles=web=operate, @staff=view+logs, 77=admin, *=view"
    (server,) = read(START + text).servers
    assert server.peer_roles == (
        PeerRole(1000, None, Role.OPERATE, True),
        PeerRole(None, 50, Role.VIEW, True),
        PeerRole(77, None, Role.ADMIN, True),
        PeerRole(None, None, Role.VIEW, False),
    )


@pytest.mark.parametrize(
    "secret", ["[user:x]\npassword_hash=no", "[user:x]", "[user:]", "[api_token:x]\ntoken_hash=no"]
)
def test_no_mistake_hides_behind_another(secret: str) -> None:
    """All are told at once."""
    problems = mistakes(f"{START}{secret}\nrole=boss\nlogs=perhaps\n").problems
    assert [problem.option for problem in problems if problem.option in ("role", "logs")] == [
        "role", "logs",
    ]  # fmt: skip
    assert len(problems) > 2


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ("[user:alice]", "section [user:alice] has no password_hash value"),
        ("[user:a b]\npassword_hash=" + HASH, "Invalid name: 'a b' because of character: ' '"),
        ("[user:a]\npassword_hash=hunter2", "not a password hash: it is not a hash"),
        ("[user:a]\npassword_hash={SHA}hunter2", "not a password hash: what follows {SHA} is not"),
        ("[user:a]\npassword_hash=scrypt$hunter2", "not a password hash: it is not a whole hash"),
        ("[user:a]\npassword=scrypt$hunter2", "[user:a] password: it is not a whole hash"),
        ("[api_token:ci]", "section [api_token:ci] has no token_hash value"),
        ("[api_token:ci]\ntoken_hash=hunter2", "not the hash of a token"),
        ("[user:a]\npassword=b\nrole=amdin", "not a role: 'amdin'"),
        (f"[api_token:c]\ntoken_hash={DIGEST}\nexpires=soon", "not a day or a time: 'soon'"),
        ("[unix_http_server]\nfile=/s\npeer_roles=ghost=view", "Invalid user name ghost"),
        ("[unix_http_server]\nfile=/s\npeer_roles=@ghost=view", "Invalid group name ghost"),
        ("[unix_http_server]\nfile=/s\npeer_roles=root", "not a user, group or * with a role"),
        ("[unix_http_server]\nfile=/s\npeer_roles=root=view+x", "only +logs may follow a role"),
    ],
)
def test_what_makes_no_login_is_refused_without_showing_secrets(lines: str, text: str) -> None:
    """Neither in the text nor in what tools get."""
    assert mistake(START + lines).startswith(text)
    world = AWorld()
    world.put(MAIN, START + lines)
    told, good = check_file(MAIN, Overrides(), world, as_json=True)
    assert not good
    assert "hunter2" not in told + str(mistakes(START + lines))


def test_a_mistake_in_a_secret_is_told_once() -> None:
    """Not a second time because the login lacks one then."""
    for lines in (
        "[user:a]\npassword_hash=x",
        "[api_token:a]\ntoken_hash=x",
        "[user:a]\npassword=",
    ):
        assert len(mistakes(START + lines).problems) == 1


def test_a_misspelled_role_is_recognized() -> None:
    """Did you mean."""
    assert "did you mean admin?" in str(mistakes(START + "[user:a]\npassword=b\nrole=amdin"))


def test_readable_passwords_are_one_warning_for_all() -> None:
    """It names the sections, and never the password."""
    text = START + "[inet_http_server]\nport=127.0.0.1:1\nusername=u\npassword=hunter2\n"
    text += "[user:a]\npassword=hunter2\n[user:b]\npassword_hash=" + HASH
    warnings = [note.text for note in read(text).notes if note.level == "warn"]
    assert warnings == [
        "password kept readably in [inet_http_server], [user:a]; `proctor hash-password` makes a"
        " hash of it"
    ]


def test_a_login_does_not_show_its_secret() -> None:
    """Wherever somebody prints it."""
    assert repr(Login("a", "hunter2")) == "Login('a', admin)"


def test_a_plug_in_does_not_get_the_option_that_says_who_may_use_it() -> None:
    """It would not know what to do with it."""
    text = "[rpcinterface:x]\nsupervisor.rpcinterface_factory=good:x\nproctor.role=view\na=b\n"
    (plugin,) = read(START + text).rpcinterfaces
    assert (plugin.role, plugin.options) == (Role.VIEW, (("a", "b"),))
