"""Certificates of an authority that lives for one test session."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import trustme


class Files(NamedTuple):
    """PEM files: a server's certificate and key, a client's, and the authority of both."""

    certfile: str
    keyfile: str
    cafile: str
    client: str
    client_key: str


def write(directory: Path, *names: str, client: str = "alice") -> Files:
    """A server's certificate for these names, and a client's for `client`, in a directory."""
    directory.mkdir(exist_ok=True)
    authority = trustme.CA()
    server = authority.issue_cert(*(names or ("127.0.0.1", "localhost", "::1")))
    person = authority.issue_cert(f"{client}@example.org", common_name=client)
    files = Files(*(str(directory / name) for name in Files._fields))
    server.cert_chain_pems[0].write_to_path(files.certfile)
    server.private_key_pem.write_to_path(files.keyfile)
    authority.cert_pem.write_to_path(files.cafile)
    person.cert_chain_pems[0].write_to_path(files.client)
    person.private_key_pem.write_to_path(files.client_key)
    return files
