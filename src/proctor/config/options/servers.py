"""Rows of [unix_http_server] and [inet_http_server].  Source: compat config.md, section 7."""

from __future__ import annotations

from proctor.config.convert import FILE_MODE, INET_ADDRESS, OWNER, TEXT
from proctor.config.kinds_of_logins import PEER_ROLES
from proctor.config.table import Option, SectionType
from proctor.core.logins import PeerRole

FILE: Option[str | None] = Option(
    "file", TEXT, None, sample="/tmp/supervisor.sock", in_sample=True,
    text="Path of the socket.",
)  # fmt: skip
CHMOD = Option("chmod", FILE_MODE, 0o700, sample="0700", text="Mode of the socket file.")
CHOWN: Option[tuple[int, int] | None] = Option(
    "chown", OWNER, None, sample="nobody:nogroup", text="Owner of the socket file: user:group.",
)  # fmt: skip
PORT: Option[tuple[str, int] | None] = Option(
    "port", INET_ADDRESS, None, sample="127.0.0.1:9001",
    text="host:port to listen on, [host]:port for IPv6; *:port listens on every interface.",
)  # fmt: skip
USERNAME: Option[str | None] = Option(
    "username", TEXT, None, sample="user", text="Name a client must give; none means no login.",
)  # fmt: skip
PASSWORD: Option[str | None] = Option(
    "password", TEXT, None, sample="123",
    text="Password that goes with it, in clear text, as `proctor hash-password` prints it, or as "
    "{SHA} and the SHA-1 in hexadecimal.",
)  # fmt: skip
PEERS: Option[tuple[PeerRole, ...]] = Option(
    "peer_roles", PEER_ROLES, (), sample="*=admin", since="Proctor 0.1",
    text="Roles of users (name or number), @groups and * for who connects without a login, the "
    "first that fits counts; who is not in it is refused.  Root and the daemon's own user are "
    "admin always.",
)  # fmt: skip
CERTFILE: Option[str | None] = Option(
    "certfile", TEXT, None, sample="/etc/ssl/host.pem", since="Proctor 0.1",
    text="Serve TLS with the certificate, and those that lead to its issuer, in this PEM file.",
)  # fmt: skip
KEYFILE: Option[str | None] = Option(
    "keyfile", TEXT, None, sample="/etc/ssl/host.key", since="Proctor 0.1",
    text="Key of the certificate, without a passphrase; without it, the key is in certfile.",
)  # fmt: skip
CLIENT_CA: Option[str | None] = Option(
    "client_ca", TEXT, None, sample="/etc/ssl/clients.pem", since="Proctor 0.1",
    text="Clients must show a certificate that one of these has signed.  Its name is a login: of "
    "the [user:x] with that name, or with all rights where there are no users.",
)  # fmt: skip

UNIX_HTTP_SERVER = SectionType(
    "unix_http_server",
    (FILE, CHMOD, CHOWN, USERNAME, PASSWORD, PEERS),
    text="The server that supervisorctl on this host talks to.",
    prefix=True,
    in_sample=True,
)
INET_HTTP_SERVER = SectionType(
    "inet_http_server",
    (PORT, USERNAME, PASSWORD, CERTFILE, KEYFILE, CLIENT_CA),
    text="A server on TCP.  Whoever may use it may run programs: give it a login.",
    prefix=True,
)
