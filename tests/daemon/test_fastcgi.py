"""The socket that the processes of a FastCGI program share, with real sockets."""

from __future__ import annotations

import socket
from pathlib import Path

from builders import Heart, a_group, a_heart, a_process
from proctor.core.spec import ProcessKind, ProcessSpec, SocketSpec


def a_worker(name: str, url: str) -> ProcessSpec:
    return a_process(
        name, kind=ProcessKind.FASTCGI, socket=SocketSpec(url), startretries=0, startsecs=0
    )


def fd_of(heart: Heart, key: str) -> int:
    plan = heart.host.children[key].plan
    assert plan.socket_fd is not None
    return plan.socket_fd


def test_one_socket_for_all_from_the_first_spawn_to_the_last_end(tmp_path: Path) -> None:
    """Opened once, listening, and closed with the last process."""
    path = tmp_path / "s"
    url = f"unix://{path}"
    with a_heart(a_group("g", a_worker("a", url), a_worker("b", url))) as heart:
        assert not path.exists()
        heart.start("g:a")
        heart.start("g:b")
        assert fd_of(heart, "g:a") == fd_of(heart, "g:b")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
        assert heart.host.children["g:a"].stdin is None
        heart.stop("g:a")
        assert heart.said("socket") == [f"INFO Creating socket {url}"]
        heart.stop("g:b")
        assert heart.said("socket") == [f"INFO Creating socket {url}", f"INFO Closing socket {url}"]
        heart.start("g:a")
        assert len(heart.said("Creating")) == 2
        heart.stop("g:a")


def test_a_socket_that_cannot_be_is_a_spawn_error(tmp_path: Path) -> None:
    """With its URL and the reason of the system."""
    url = f"unix://{tmp_path}/missing/s"
    with a_heart(a_worker("web", url)) as heart:
        heart.start("web")
        assert heart.process("web").spawnerr == (
            f"Could not create FastCGI socket {url}: No such file or directory"
        )
        assert heart.states("web") == "STARTING BACKOFF FATAL"
