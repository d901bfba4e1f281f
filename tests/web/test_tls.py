"""TLS on a TCP server: old versions, certificates of clients, renewal, and clients that dawdle."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from proctor.core.caller import Caller, Role
from proctor.core.logins import Login, Logins
from proctor.core.settings import ServerSettings, TlsSettings
from proctor.posix.sockets import CannotListen
from proctor.web.house import Limits
from support.certificates import Files, write
from support.waiting import until
from webhost import Served, a_call, a_get, a_post, needs_ipv6, read_reply

Serve = Callable[..., Served]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """One set for all tests that change nothing."""
    return write(tmp_path_factory.mktemp("certificates"))


def client_context(files: Files, *, certificate: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=files.cafile)
    if certificate:
        context.load_cert_chain(files.client, files.client_key)
    return context


def ask(served: Served, context: ssl.SSLContext, data: bytes) -> int:
    """The status of the answer over TLS."""
    with (
        served.tcp() as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as client,
    ):
        client.sendall(data)
        return read_reply(client).status


def test_a_server_with_a_certificate_speaks_tls(serve: Serve, files: Files) -> None:
    """Large answers, kept connections, and the end that the client asks for."""
    served = serve(tls=TlsSettings(files.certfile, files.keyfile))
    served.service.log = "x" * 3_000_000
    read = a_post(a_call("supervisor.readLog", "<int>0</int>", "<int>0</int>"))
    with client_context(files).wrap_socket(served.tcp(), server_hostname="127.0.0.1") as client:
        for _ in range(2):
            client.sendall(read)
            assert len(read_reply(client).body) > 3_000_000
        client.sendall(a_get("/ok.html", "Connection: close"))
        assert read_reply(client).body == b"OK"
        assert client.recv(1) == b""


def test_old_versions_are_refused(serve: Serve, files: Files) -> None:
    """Nothing below 1.2."""
    served = serve(tls=TlsSettings(files.certfile, files.keyfile))
    old = client_context(files)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError, match=r"(?i)version|protocol|cipher|reset|alert"):
        ask(served, old, a_get("/ok.html"))


def test_plain_http_gets_no_answer(serve: Serve, files: Files) -> None:
    """And the unix socket of the same daemon stays as it is."""
    served = serve(tls=TlsSettings(files.certfile, files.keyfile))
    with served.tcp() as client, contextlib.suppress(ConnectionError):
        client.sendall(a_get("/ok.html"))
        assert b"OK" not in client.recv(1000)
    assert served.ask(a_get("/ok.html"), unix=True).status == 200
    until(lambda: not served.servers.connections, "the connections to end")


def test_who_never_shakes_hands_holds_a_slot_like_any_idle_client(
    serve: Serve, files: Files
) -> None:
    """And not for long."""
    served = serve(tls=TlsSettings(files.certfile, files.keyfile), limits=Limits(head_timeout=0.1))
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(served.tcp()) for _ in range(20)]
        for client in silent:
            with contextlib.suppress(ConnectionError):
                assert client.recv(1) == b""
    until(lambda: not served.servers.connections, "all slots to be free")


def test_tls_clients_get_no_more_slots_than_there_are(serve: Serve, files: Files) -> None:
    """Those beyond are closed before any handshake."""
    limits = Limits(connections=4, kept_for_unix=2)
    served = serve(tls=TlsSettings(files.certfile, files.keyfile), limits=limits)
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            client = client_context(files).wrap_socket(
                stack.enter_context(served.tcp()), server_hostname="127.0.0.1"
            )
            stack.callback(client.close)
            client.sendall(a_post(a_call("supervisor.startProcess", "slow")))
        until(lambda: len(served.service.calls) == 2, "two waiting calls")
        with served.tcp() as refused, contextlib.suppress(ConnectionError):
            assert refused.recv(1) == b""
        assert served.ask(a_get("/ok.html"), unix=True).status == 200
        served.service.released.set()
        assert read_reply(client).status == 200


def who_asks(served: Served, context: ssl.SSLContext, *headers: str) -> Caller | int:
    served.service.callers.clear()
    status = ask(served, context, a_post(a_call("supervisor.getPID"), *headers))
    return served.service.callers[0] if served.service.callers else status


def test_a_client_without_a_certificate_of_ours_gets_nothing(serve: Serve, files: Files) -> None:
    """Where client_ca is set."""
    served = serve(tls=TlsSettings(files.certfile, files.keyfile, files.cafile))
    assert not any("inet_http_server' running without" in line for line in served.lines)
    with pytest.raises(OSError, match=r"(?i)certificate|alert|reset|closed"):
        ask(served, client_context(files), a_get("/ok.html"))


@pytest.mark.parametrize("foreign", [False, True])
def test_why_a_client_was_refused_is_in_the_log(
    serve: Serve, files: Files, tmp_path: Path, foreign: bool
) -> None:
    """With the address; who only looks whether somebody listens is not mentioned."""
    served = serve(tls=TlsSettings(files.certfile, files.keyfile, files.cafile))
    context = client_context(files)
    if foreign:
        others = write(tmp_path / "others")
        context.load_cert_chain(others.client, others.client_key)
    with served.tcp():
        pass
    for _ in range(3):
        with pytest.raises(OSError, match=r"(?i)certificate|alert|reset|closed|eof|pipe"):
            ask(served, context, a_get("/ok.html"))

    def told() -> list[str]:
        return [line for line in served.lines if "refused client of [inet_http_server]" in line]

    until(told, "the line")
    reason = "its certificate: " if foreign else "it showed no certificate, and client_ca= asks"
    assert len(told()) < 4
    assert f" WARN refused client of [inet_http_server] from 127.0.0.1: {reason}" in told()[0]


def test_a_certificate_is_a_login_with_the_rights_of_its_user(serve: Serve, files: Files) -> None:
    """Everything, where nobody is a user; what the user may, where its name is one's."""
    tls = TlsSettings(files.certfile, files.keyfile, files.cafile)
    context = client_context(files, certificate=True)
    alone = who_asks(serve(tls=tls), context)
    assert isinstance(alone, Caller)
    assert (alone.user, alone.role) == ("alice", Role.ADMIN)
    for name in ("alice", "alice@example.org"):
        known = serve(tls=tls, logins=Logins(users=(Login(name, "x", Role.VIEW),)))
        alice = who_asks(known, context)
        assert isinstance(alice, Caller)
        assert (alice.user, alice.role) == (name, Role.VIEW)
    others = serve(tls=tls, logins=Logins(users=(Login("bob", "x"),)))
    assert who_asks(others, context) == 401


def test_renewed_certificates_count_for_new_connections(
    serve: Serve, files: Files, tmp_path: Path
) -> None:
    """Broken ones do not: then the old ones go on, with a line in the log."""
    served = serve(tls=TlsSettings(files.certfile, files.keyfile))
    renewed = write(tmp_path / "renewed")
    tls = TlsSettings(renewed.certfile, renewed.keyfile)
    settings = ServerSettings("inet_http_server", tls=tls)
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(served, client_context(renewed), a_get("/ok.html"))
    served.servers.renew_certificates([settings])
    assert ask(served, client_context(renewed), a_get("/ok.html")) == 200
    Path(renewed.keyfile).write_text("nonsense")
    served.servers.renew_certificates([settings])
    assert ask(served, client_context(renewed), a_get("/ok.html")) == 200
    assert any("goes on with its old certificate" in line for line in served.lines)


def test_a_server_listens_on_ipv6(serve: Serve) -> None:
    """Its own address is a Host that nobody can own; a source is shown as it is."""
    needs_ipv6()
    served = serve(host="::1")
    for name, status in ((f"[::1]:{served.port}", 200), ("evil.example:9001", 403)):
        assert served.ask(a_get("/ok.html", f"Host: {name}")).status == status


def test_the_open_address_of_ipv6_is_that_of_both(serve: Serve) -> None:
    """And a client of version 4 is shown as one."""
    needs_ipv6()
    served = serve(host="::")
    assert served.ask(a_get("/ok.html")).status == 200
    until(lambda: any(line.partition("127.0.0.1:")[1] for line in served.lines), "the access line")
    assert not any("::ffff" in line for line in served.lines)


def test_a_key_that_we_may_not_read_is_told_with_its_section(serve: Serve, files: Files) -> None:
    """After `user=` it may be out of reach, although the configuration was good."""
    servers, sock = serve().servers, socket.socket()
    settings = ServerSettings("inet_http_server", tls=TlsSettings(files.certfile, "/nope"))
    with pytest.raises(
        CannotListen, match=r"\[inet_http_server\] certfile or keyfile cannot be used"
    ):
        servers.add(settings, sock)
    assert sock.fileno() >= 0
    sock.close()
