"""A daemon is killed in the middle of something: the next one goes on with it."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.programs import program
from support.rpc import free_port
from support.torture import kill_daemon
from support.waiting import until

FLAKY = """
[program:flaky]
command=/bin/sh -c 'exit 3'
startretries=2
"""


def test_the_tries_that_are_left(launch: Launch, ours: Implementation) -> None:
    """A program that waits for its last try has one, and then is given up."""
    daemon = launch(ours, FLAKY)
    daemon.until_logged("spawned: 'flaky'", times=2)
    # On a busy machine the last try may be over already; then it rests, which is the same to see.
    daemon.until_state("flaky", "BACKOFF", "FATAL")
    kill_and_wait(daemon)
    daemon.until_state("flaky", "FATAL")
    daemon.until_logged("gave up: flaky")  # It is written by a thread, a moment later.
    spawned = [line for line in daemon.log_lines() if "spawned: 'flaky'" in line]
    assert len(spawned) == 3
    assert len([line for line in daemon.log_lines() if "gave up: flaky" in line]) == 1


def test_another_configuration(launch: Launch, ours: Implementation) -> None:
    """What changed in the files meanwhile is started again as it is now; the rest is untouched."""
    same, job = program("same"), program("job", stdout_logfile="%(here)s/job.log")
    daemon = launch(ours, same + job)
    daemon.until_state("same", "RUNNING")
    daemon.until_state("job", "RUNNING")
    before = {name: pid_of(daemon, name) for name in ("same", "job")}
    daemon.configure(same + program("job", "/bin/sh -c 'echo new; exec cat'", **OTHER))
    kill_and_wait(daemon)
    daemon.until_file("job.log", "new")
    daemon.until_state("job", "RUNNING")
    assert pid_of(daemon, "same") == before["same"]
    assert pid_of(daemon, "job") != before["job"]


OTHER = {"stdout_logfile": "%(here)s/job.log"}


def test_an_end_in_the_gap_is_told_once(launch: Launch, ours: Implementation) -> None:
    """With its status; and what ran before is not said to have started."""
    daemon = launch(ours, program("stays") + program("ends", autorestart="false"))
    daemon.until_state("stays", "RUNNING")
    daemon.until_state("ends", "RUNNING")
    pid = pid_of(daemon, "ends")
    stopped = kill_daemon(daemon.pid)
    os.kill(pid, signal.SIGUSR1)
    until(lambda: daemon.call("supervisor.getPID"), f"it answers again after {stopped}")
    daemon.until_state("ends", "EXITED")
    daemon.until_logged("exited: ends")
    told = [line for line in daemon.log_lines() if "ends" in line and "exited" in line]
    assert told == ["WARN exited: ends (terminated by SIGUSR1; not expected)"]
    assert len([line for line in daemon.log_lines() if "success: stays" in line]) == 1


def kill_and_wait(daemon: Daemon) -> None:
    dead = kill_daemon(daemon.pid)
    until(lambda: daemon.call("supervisor.getPID"), f"it answers again after {dead}")
    daemon.until_logged("the daemon before this one has ended")


def pid_of(daemon: Daemon, name: str) -> int:
    pid: int = daemon.call("supervisor.getProcessInfo", name)["pid"]
    return pid


def test_a_death_is_told_once(launch: Launch, ours: Implementation) -> None:
    """Not again by each restart that somebody asks for later."""
    daemon = launch(ours, program("cat"))
    daemon.until_state("cat", "RUNNING")
    kill_and_wait(daemon)
    daemon.ctl("reload")
    daemon.until_logged("spawned: 'cat'", times=2)
    assert daemon.log_text().count("the daemon before this one has ended") == 1


def test_clients_that_connect_in_the_gap(launch: Launch, ours: Implementation) -> None:
    """Nobody is refused while there is no daemon; they are served by the next one."""
    port = free_port()
    daemon = launch(ours, f"[inet_http_server]\nport=127.0.0.1:{port}\n\n" + program("cat"))
    daemon.until_state("cat", "RUNNING")
    with stopped(daemon.pid):
        kill_daemon(daemon.pid)
        with socket.socket(socket.AF_UNIX) as local, socket.socket() as remote:
            local.connect(str(daemon.socket))
            remote.connect(("127.0.0.1", port))
            os.kill(daemon.pid, signal.SIGCONT)
            for client in (local, remote):
                client.sendall(b"GET /ok.html HTTP/1.0\r\n\r\n")
                assert client.makefile("rb").readline().startswith(b"HTTP/1.")
    daemon.ctl("reload")
    daemon.until_logged("supervisord started", times=3)
    daemon.until_state("cat", "RUNNING")


def test_a_server_that_is_not_configured_any_more(launch: Launch, ours: Implementation) -> None:
    """Its address is free as soon as the next daemon runs; a new one of it can be had at once."""
    port = free_port()
    daemon = launch(ours, f"[inet_http_server]\nport=127.0.0.1:{port}\n")
    daemon.configure(f"[inet_http_server]\nport=*:{port}\n")
    kill_and_wait(daemon)
    with socket.create_connection(("127.0.0.1", port)):
        pass
    daemon.configure("")
    kill_daemon(daemon.pid)
    daemon.until_logged("supervisord started", times=3)

    def is_free() -> bool:
        with socket.create_server(("127.0.0.1", port)):
            return True

    until(is_free, "the keeper has let go of it, too")


WORKER = """
import socket
with socket.socket(fileno=0) as s:
    print("up", flush=True)
    while True:
        s.accept()[0].send(b"hello")
"""

FASTCGI = """
[fcgi-program:web]
command={python} -S %(here)s/worker.py
socket=unix://%(here)s/web.sock
process_name=%(program_name)s_%(process_num)d
numprocs=2
startsecs=0
autorestart=true
stdout_logfile=%(here)s/web_%(process_num)d.log
"""


def test_the_socket_of_fastcgi_programs(launch: Launch, ours: Implementation) -> None:
    """It is theirs as before, also for those that start later; nobody is refused."""
    daemon = launch(ours)
    (daemon.directory / "worker.py").write_text(WORKER)
    daemon.configure(FASTCGI.format(python=sys.executable))
    daemon.ctl("update")
    for number in (0, 1):
        daemon.until_file(f"web_{number}.log", "up")
        daemon.until_logged(f"spawned: 'web_{number}'")
    file = os.stat(daemon.directory / "web.sock").st_ino
    with stopped(daemon.pid):
        kill_daemon(daemon.pid)
        os.kill(pid_of_member(daemon, 0), signal.SIGKILL)
    daemon.until_logged("spawned: 'web_0'", times=2)
    daemon.ctl("stop", "web:web_1")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(daemon.directory / "web.sock"))
        assert client.recv(5) == b"hello", "who started later listens to the same socket"
    assert os.stat(daemon.directory / "web.sock").st_ino == file
    daemon.ctl("stop", "web:*")
    daemon.until_logged("Closing socket unix://")
    daemon.ctl("start", "web:*")
    daemon.until_logged("Creating socket unix://", times=2)


def pid_of_member(daemon: Daemon, number: int) -> int:
    spawned = re.findall(rf"spawned: 'web_{number}' with pid (\d+)", daemon.log_text())
    return int(spawned[-1])


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """The keeper does nothing until it is told to go on: a gap as long as the test needs."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
