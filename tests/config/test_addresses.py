"""Where a server listens: IPv6, certificates, and what children are told of it."""

from __future__ import annotations

import pytest

from config.a_world import mistake, mistakes, read
from proctor.core.settings import TlsSettings, server_url

START = "[supervisord]\n[inet_http_server]\n"


@pytest.mark.parametrize(
    ("port", "host", "url"),
    [
        ("[::1]:9001", "::1", "http://[::1]:9001"),
        ("[::]:9001", "::", "http://localhost:9001"),
        ("[FE80::1]:9001", "fe80::1", "http://[fe80::1]:9001"),
        ("127.0.0.1:9001", "127.0.0.1", "http://127.0.0.1:9001"),
        ("*:9001", "", "http://localhost:9001"),
    ],
)
def test_an_address_of_either_version(port: str, host: str, url: str) -> None:
    """IPv6 in brackets, as in a URL."""
    (server,) = read(f"{START}port={port}").servers
    assert (server.host, server.port) == (host, 9001)
    assert server_url((server,)) == url


@pytest.mark.parametrize(
    ("port", "text"),
    [
        ("[::1::2]:9001", "not an IPv6 address: '[::1::2]:9001'"),
        ("[localhost]:9001", "not an IPv6 address: '[localhost]:9001'"),
        ("::1:9001", "an IPv6 address needs brackets: '::1:9001'"),
    ],
)
def test_what_is_no_address(port: str, text: str) -> None:
    """And what was expected."""
    assert mistake(f"{START}port={port}") == text
    assert "[IPv6]:port" in str(mistakes(f"{START}port={port}"))


@pytest.mark.parametrize("port", ["127.0.0.1:foo", "foo", "127.0.0.1:70000"])
def test_a_server_that_is_none_is_not_warned_of(port: str) -> None:
    """What its port is meant to be nobody knows."""
    found = mistakes(f"{START}port={port}")
    assert (len(found.problems), found.notes) == (1, ())


@pytest.mark.parametrize("port", ["[::]:9001", "[fe80::1]:9001", "*:9001", "10.0.0.1:9001"])
def test_an_open_server_is_warned_of(port: str) -> None:
    """Unless somebody has to log in, or shows a certificate."""
    warned = "needs no login: whoever can reach port 9001"

    def warnings(more: str) -> list[str]:
        return [note.text for note in read(f"{START}port={port}\n{more}").notes]

    assert any(warned in text for text in warnings(""))
    for more in (
        "username=a\npassword=b",
        "certfile=/x\nclient_ca=/y",
        "[user:a]\npassword=b",
    ):
        assert not any(warned in text for text in warnings(more))


def test_certificates_are_paths_from_where_we_started() -> None:
    """And the address that children get is one of https."""
    (server,) = read(f"{START}port=127.0.0.1:1\ncertfile=a.pem\nclient_ca=/b.pem").servers
    assert server.tls is not None
    assert server.tls.certfile.endswith("/a.pem")
    assert server.tls == TlsSettings(server.tls.certfile, None, "/b.pem")
    assert server_url((server,)) == "https://127.0.0.1:1"


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ("certfile=/bad", "[inet_http_server] certfile: cannot be used: it is not in PEM format"),
        ("keyfile=/k", "section [inet_http_server] has keyfile but no certfile"),
        ("client_ca=/k", "section [inet_http_server] has client_ca but no certfile"),
    ],
)
def test_certificates_that_cannot_be_used_are_a_mistake(lines: str, text: str) -> None:
    """With file and line."""
    found = mistakes(f"{START}port=1\n{lines}")
    assert found.text == text
    assert found.problems[0].place is not None
    assert found.problems[0].place.line == 4
