"""Listening sockets: born with the right mode, never stolen, never left half-way."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from contextlib import closing
from pathlib import Path

import pytest

from proctor.core.settings import ServerSettings
from proctor.core.spec import SocketSpec
from proctor.posix import sockets
from proctor.posix.sockets import CannotListen, open_fastcgi, open_server


def unix(path: Path, **more: object) -> ServerSettings:
    return ServerSettings(section="unix_http_server", file=str(path), **more)  # type: ignore[arg-type]


def tcp(port: int = 0, host: str = "127.0.0.1") -> ServerSettings:
    return ServerSettings(section="inet_http_server", host=host, port=port)


@pytest.fixture
def path(scratch: Path) -> Path:
    return scratch / "s.sock"


@pytest.mark.parametrize("mode", [0o700, 0o660, 0o777])
def test_a_unix_socket_has_its_mode_from_the_first_moment(path: Path, mode: int) -> None:
    """The umask does it, and is as before afterwards."""
    before = os.umask(0o022)
    with closing(open_server(unix(path, mode=mode))) as sock:
        assert stat.S_IMODE(path.stat().st_mode) == mode
        assert not sock.getblocking()
        assert not sock.get_inheritable()
    assert os.umask(before) == 0o022


def test_a_stale_socket_is_replaced_and_said_so(path: Path) -> None:
    """A daemon that was killed leaves its socket behind; the next one takes its place."""
    open_server(unix(path)).close()
    notes: list[str] = []
    with closing(open_server(unix(path), notes.append)), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    assert notes == [f"Unlinking stale socket {path}"]


def test_a_live_socket_is_refused_and_stays(path: Path) -> None:
    """Scenario 17: the twin is refused and its victim's socket untouched."""
    with closing(open_server(unix(path))):
        before = sockets.identity(str(path))
        with pytest.raises(CannotListen, match="Another program is already listening"):
            open_server(unix(path))
        assert sockets.identity(str(path)) == before


def test_a_live_socket_with_a_full_backlog_counts_as_live(path: Path) -> None:
    """Nobody waits for a busy daemon to accept."""
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as first:
        busy.bind(str(path))
        busy.listen(0)
        first.connect(str(path))
        with pytest.raises(CannotListen, match="already listening"):
            open_server(unix(path))


def test_a_lock_that_is_never_released_does_not_stop_us(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody may lock /tmp, where most sockets are."""
    monkeypatch.setattr(sockets, "LOCK_TIMEOUT", 0.01)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        open_server(unix(path)).close()
    finally:
        os.close(handle)


def test_an_empty_file_and_a_dangling_link_give_way(path: Path) -> None:
    """People `touch` the socket because a web page says so."""
    path.touch()
    open_server(unix(path)).close()
    path.unlink()
    path.symlink_to(path.with_name("nowhere"))
    open_server(unix(path)).close()
    assert stat.S_ISSOCK(path.lstat().st_mode)


def test_a_file_with_content_is_never_deleted(path: Path) -> None:
    """Somebody mistyped file=."""
    path.write_text("precious")
    with pytest.raises(CannotListen, match=r"errno\.EEXIST \(17\)"):
        open_server(unix(path))
    assert path.read_text() == "precious"


def test_errors_are_named_as_in_the_original(path: Path) -> None:
    """Source: the original, run."""
    with pytest.raises(CannotListen) as missing:
        open_server(unix(path.parent / "no" / "s.sock"))
    with pytest.raises(CannotListen) as long:
        open_server(unix(path.parent / ("a" * 120)))
    prefix = "Cannot open an HTTP server: socket.error reported "
    assert str(missing.value) == prefix + "errno.ENOENT (2)"
    assert str(long.value) == prefix + "AF_UNIX path too long"


def test_a_chown_never_goes_through_a_link(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 11: somebody may have put one where our socket was a moment ago."""
    given: list[bool] = []

    def note(*_: object, follow_symlinks: bool = True) -> None:
        given.append(follow_symlinks)

    monkeypatch.setattr(os, "chown", note)
    open_server(unix(path, owner=(0, 5))).close()
    open_fastcgi(SocketSpec(f"unix://{path}", owner=(0, 5))).close()
    assert given == [False, False]


def test_a_refused_chown_names_the_file_the_ids_and_the_user(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And leaves no socket behind."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refuse)
    with pytest.raises(CannotListen) as refused:
        open_server(unix(path, owner=(0, 5)))
    assert str(refused.value).startswith(
        f'Not permitted to chown {path} to uid/gid (0, 5); adjust "sockchown" value in config file'
    )
    assert not path.exists()


def test_an_owner_is_given(path: Path) -> None:
    """-1 leaves one of the two alone."""
    with closing(open_server(unix(path, owner=(-1, os.getgid())))):
        assert path.stat().st_gid == os.getgid()


def test_a_port_in_use_is_refused_with_the_same_text() -> None:
    """Source: compat config.md, section 12."""
    with closing(open_server(tcp())) as sock:
        port = sock.getsockname()[1]
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        with pytest.raises(CannotListen, match="Another program is already listening"):
            open_server(tcp(port))


def test_every_interface_needs_no_name_look_up() -> None:
    """Gotcha G53."""
    with closing(open_server(tcp(host=""))) as sock:
        assert sock.getsockname()[0] == "0.0.0.0"


def test_remove_takes_only_what_is_ours(path: Path) -> None:
    """A daemon that ends must not unlink the socket of the one that replaced it."""
    open_server(unix(path)).close()
    old = sockets.identity(str(path))
    with path.with_name("keep-the-inode").open("w"):
        path.rename(path.with_name("old"))
        path.touch()
    sockets.remove(str(path), old)
    assert path.exists()
    sockets.remove(str(path), sockets.identity(str(path)))
    assert not path.exists()


def test_a_fastcgi_socket_blocks_and_listens(path: Path) -> None:
    """An existing socket is replaced without a question: the program that had it is gone."""
    spec = SocketSpec(f"unix://{path}", mode=0o660)
    with closing(open_fastcgi(spec)), closing(open_fastcgi(spec)) as sock:
        assert sock.getblocking()
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_a_fastcgi_socket_over_tcp() -> None:
    """The port may be used again at once."""
    with closing(open_fastcgi(SocketSpec("tcp://localhost:0", backlog=5))) as sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
        assert sock.getsockname()[1] > 0
