"""What is wrong with the files of a TLS server, in plain words."""

from __future__ import annotations

from pathlib import Path

import pytest

from proctor.config.certificates import problem_of
from proctor.core.settings import TlsSettings
from support.certificates import Files, write


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A set that works."""
    return write(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Another one."""
    return write(tmp_path_factory.mktemp("other"))


def test_good_files_have_no_problem(files: Files) -> None:
    """With and without the certificates of clients, and with both parts in one file."""
    assert problem_of(TlsSettings(files.certfile, files.keyfile)) is None
    assert problem_of(TlsSettings(files.certfile, files.keyfile, files.cafile)) is None
    both = Path(files.certfile).with_name("both")
    both.write_bytes(Path(files.certfile).read_bytes() + Path(files.keyfile).read_bytes())
    assert problem_of(TlsSettings(str(both))) is None


def test_bad_files_are_named_with_the_reason(files: Files, others: Files, tmp_path: Path) -> None:
    """Missing, no PEM, another's key, no key at all."""
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("nonsense")
    good, key = files.certfile, files.keyfile
    assert problem_of(TlsSettings("/nope", key)) == ("certfile", "No such file or directory")
    assert problem_of(TlsSettings(good, "/nope")) == ("keyfile", "No such file or directory")
    assert problem_of(TlsSettings(good, key, "/nope")) == ("client_ca", "No such file or directory")
    assert problem_of(TlsSettings(good, others.keyfile)) == (
        "certfile",
        "the key does not belong to the certificate",
    )
    for tls in (TlsSettings(str(nonsense), key), TlsSettings(good)):
        found = problem_of(tls)
        assert found
        assert found[0] == "certfile"
        assert "PEM" in found[1]
    found = problem_of(TlsSettings(good, key, str(nonsense)))
    assert found
    assert found[0] == "client_ca"
