"""Users, tokens and unix peers: who gets in, and with which rights."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable

import pytest

from proctor.core import passwords
from proctor.core.caller import Caller, Peer, Role
from proctor.core.logins import Login, Logins, PeerRole
from proctor.web import auth
from proctor.web.peers import role_of
from support.waiting import until
from webhost import Served, a_call, a_get, a_post

Serve = Callable[..., Served]
SLOW = passwords.hashed(b"secret", b"0123456789abcdef")
TOKEN = b"proctor_123"
USERS = Logins(
    users=(
        Login("alice", SLOW, Role.OPERATE, reads_logs=False, groups=("web",)),
        Login("bob", "plain"),
    ),
    tokens=(
        Login("ci", passwords.token_digest(TOKEN), Role.VIEW),
        Login("old", passwords.token_digest(b"old"), expires=1.0),
    ),
)
NOBODY = Role.VIEW, False


def basic(credentials: str) -> str:
    return f"Authorization: Basic {b64encode(credentials.encode()).decode()}"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for the punishment of failed logins."""
    monkeypatch.setattr(auth, "MAX_DELAY", 0.0)


@pytest.fixture
def served(serve: Serve) -> Served:
    """A server with users and tokens; its service remembers who asked."""
    return serve(logins=USERS)


def who_asks(served: Served, *headers: str, unix: bool = False) -> Caller | int:
    """The caller that the service sees; the status when it sees none."""
    served.service.callers.clear()
    reply = served.ask(a_post(a_call("supervisor.getPID"), *headers), unix=unix)
    return served.service.callers[0] if served.service.callers else reply.status


def test_a_user_comes_with_role_logs_and_groups(served: Served) -> None:
    """By a slow hash or a plain password."""
    alice = who_asks(served, basic("alice:secret"))
    assert isinstance(alice, Caller)
    assert (alice.user, alice.role, alice.reads_logs) == ("alice", Role.OPERATE, False)
    assert alice.groups == ("web",)
    assert alice.address.startswith("127.0.0.1:")
    bob = who_asks(served, basic("bob:plain"))
    assert isinstance(bob, Caller)
    assert bob.role is Role.ADMIN


@pytest.mark.parametrize(
    "header",
    [
        basic("alice:Secret"),
        basic("alice:plain"),
        basic("carol:secret"),
        basic(":"),
        basic("alice:" + SLOW),
        basic("bob:"),
        basic("ci:wrong"),
        basic("old:old"),
        "Authorization: Bearer proctor_124",
        "Authorization: Bearer old",
        "Authorization: Bearer",
        "Authorization: Negotiate abc",
        "X: y",
    ],
)
def test_nobody_else_gets_in(served: Served, header: str) -> None:
    """Wrong password, somebody else's, none, the hash itself; what has expired; other schemes."""
    assert who_asks(served, header) == 401


def test_a_token_is_a_header_or_a_password_for_old_clients(served: Served) -> None:
    """`supervisorctl -u ci -p TOKEN` works."""
    for header in (f"Authorization: Bearer {TOKEN.decode()}", basic(f"ci:{TOKEN.decode()}")):
        ci = who_asks(served, header)
        assert isinstance(ci, Caller)
        assert (ci.user, ci.role) == ("ci", Role.VIEW)


def test_an_expired_token_is_named_in_the_log(served: Served) -> None:
    """Whoever looks for the reason finds it; the token itself is nowhere."""
    assert who_asks(served, basic("old:old")) == 401
    assert any("old has expired" in line for line in served.lines)


def test_a_slow_hash_is_checked_once(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the configuration has another hash; a wrong password is never known."""
    checks: list[bytes] = []

    def count(secret: str, typed: bytes) -> bool:
        checks.append(typed)
        return passwords.matches(secret, typed)

    monkeypatch.setattr(auth, "matches", count)
    for _ in range(3):
        assert isinstance(who_asks(served, basic("alice:secret")), Caller)
    assert checks == [b"secret"]
    assert who_asks(served, basic("alice:other")) == 401
    other = passwords.hashed(b"other", b"fedcba9876543210")
    served.logins = Logins(users=(Login("alice", other),))
    assert who_asks(served, basic("alice:secret")) == 401
    assert isinstance(who_asks(served, basic("alice:other")), Caller)


def test_too_many_slow_checks_at_once_are_refused(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood of logins takes one thread and a bounded queue, and never the loop."""
    monkeypatch.setattr(auth, "MAX_WAITING", 0)
    served = serve(logins=USERS)
    assert who_asks(served, basic("alice:secret")) == 503
    assert isinstance(who_asks(served, basic("bob:plain")), Caller)


def test_where_anybody_can_log_in_every_tcp_server_asks(serve: Serve) -> None:
    """So audits find no open server, and any Host will do; the unix socket asks the kernel."""
    served = serve(logins=USERS)
    assert not any("inet_http_server' running without" in line for line in served.lines)
    assert served.ask(a_get("/ok.html")).status == 401
    get = a_get("/ok.html", "Host: supervisor.corp.example", basic("bob:plain"))
    assert served.ask(get).status == 200
    local = who_asks(served, unix=True)
    assert isinstance(local, Caller)
    assert local.role is Role.ADMIN
    assert local.peer is not None
    assert (local.peer.pid, local.peer.uid) == (os.getpid(), os.getuid())


def test_on_a_unix_socket_a_login_may_be_given_and_must_be_right(served: Served) -> None:
    """It says who asks, beside what the kernel says."""
    alice = who_asks(served, basic("alice:secret"), unix=True)
    assert isinstance(alice, Caller)
    assert (alice.user, alice.role) == ("alice", Role.OPERATE)
    assert alice.peer
    assert who_asks(served, basic("alice:wrong"), unix=True) == 401


def test_without_logins_nobody_looks_at_a_header(serve: Serve) -> None:
    """Clients with a superfluous username go on working."""
    assert isinstance(who_asks(serve(), basic("x:y")), Caller)


def test_a_server_with_peer_roles_is_not_one_without_authentication(serve: Serve) -> None:
    """The kernel's word is a login."""
    served = serve(peer_roles=(PeerRole(None, None, Role.VIEW, False),))
    assert not any("unix_http_server' running without" in line for line in served.lines)
    ours = who_asks(served, unix=True)
    assert isinstance(ours, Caller)
    assert ours.role is Role.ADMIN


def test_a_peer_without_a_role_is_refused(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """403; or 401 where logging in would help."""
    monkeypatch.setattr(auth, "role_of", lambda peer, roles: None)
    nobody = (PeerRole(4711, None, Role.ADMIN, True),)
    assert who_asks(serve(peer_roles=nobody), unix=True) == 403
    both = serve(peer_roles=nobody, logins=USERS)
    assert who_asks(both, unix=True) == 401
    assert isinstance(who_asks(both, basic("bob:plain"), unix=True), Caller)


def test_the_first_role_that_fits_a_peer_counts() -> None:
    """By user, by primary or other group, by nothing at all; root and we ourselves are admin."""
    user, group = PeerRole(5000, None, *NOBODY), PeerRole(None, 50, *NOBODY)
    everybody = PeerRole(None, None, *NOBODY)
    assert role_of(Peer(1, 5000, 1), (group, user, everybody)) is user
    assert role_of(Peer(1, 6000, 50), (user, group)) is group
    assert role_of(Peer(1, 6000, 1, (7, 50)), (user, group)) is group
    assert role_of(Peer(1, 6000, 1), (user, everybody, group)) is everybody
    assert role_of(Peer(1, 6000, 1), (user, group)) is None
    for uid in (0, os.geteuid()):
        found = role_of(Peer(1, uid, 1), (everybody,))
        assert found
        assert found.role is Role.ADMIN


def test_failures_of_users_are_logged_without_what_was_typed(served: Served) -> None:
    """Neither name nor password."""
    for _ in range(3):
        assert who_asks(served, basic("hunter2:geheim")) == 401
    until(lambda: any("failed (2 so far)" in line for line in served.lines), "the line")
    assert not any("hunter2" in line or "geheim" in line for line in served.lines)
