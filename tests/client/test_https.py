"""https:// and IPv6 servers: what the client trusts, and what it shows."""

from __future__ import annotations

import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from proctor.client.connection import Address
from proctor.client.server import Server
from proctor.core.settings import TlsSettings, TrustSettings
from support.certificates import Files, write
from webhost import Served, needs_ipv6


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Certificates for 127.0.0.1."""
    return write(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def served(scratch: Path, files: Files) -> Iterator[Served]:
    """A server that wants a certificate."""
    served = Served(scratch, tls=TlsSettings(files.certfile, files.keyfile, files.cafile))
    yield served
    served.close()


def test_a_client_shows_its_certificate_and_keeps_its_connection(
    served: Served, files: Files
) -> None:
    """Several calls over one handshake, and a stream on another."""
    trust = TrustSettings(files.cafile, files.client, files.client_key)
    server = Server(f"https://127.0.0.1:{served.port}", None, None, trust)
    assert [server.call("getPID") for _ in range(3)] == [42, 42, 42]
    assert served.on_loop(lambda: len(served.servers.connections)) == 1
    assert {caller.user for caller in served.service.callers} == {"alice"}
    stream = server.follow("/mainlogtail")
    assert next(iter(stream)) == b"last words\n"
    stream.close()
    server.close()


def test_a_server_that_nobody_vouches_for_is_not_talked_to(served: Served) -> None:
    """The authorities of the machine do not know it."""
    server = Server(f"https://127.0.0.1:{served.port}", "user", "secret")
    with pytest.raises(ssl.SSLCertVerificationError):
        server.call("getPID")


def test_files_that_cannot_be_used_are_named(served: Served, files: Files) -> None:
    """Before anything is sent."""
    for trust in (TrustSettings("/nope"), TrustSettings(files.cafile, files.cafile)):
        with pytest.raises(ValueError, match="cannot use /"):
            Server(f"https://127.0.0.1:{served.port}", None, None, trust).call("getPID")


@pytest.mark.parametrize(
    ("url", "host", "port", "secure"),
    [
        ("https://box", "box", 443, True),
        ("https://box:9001/", "box", 9001, True),
        ("http://[::1]:9001", "::1", 9001, False),
        ("https://[::1]", "::1", 443, True),
    ],
)
def test_addresses(url: str, host: str, port: int, secure: bool) -> None:
    """The port of https is 443."""
    address = Address(url)
    assert (address.host, address.port, address.secure) == (host, port, secure)


def test_a_client_reaches_a_server_on_ipv6(scratch: Path) -> None:
    """With brackets in the URL and in the Host."""
    needs_ipv6()
    served = Served(scratch, host="::1")
    server = Server(f"http://[::1]:{served.port}", None, None)
    try:
        assert server.call("getPID") == 42
    finally:
        server.close()
        served.close()


def test_who_does_not_speak_tls_does_not_load_it() -> None:
    """ssl would cost a one-shot command more than everything else."""
    code = (
        "import sys; from proctor.client.server import Server\n"
        "try: Server('unix:///nope', None, None).call('getPID')\n"
        "except OSError: pass\n"
        "sys.exit('ssl' in sys.modules or 'socket' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
