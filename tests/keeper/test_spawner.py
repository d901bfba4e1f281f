"""Children as the spawner makes them, on both ways, and the texts of those not made."""

from __future__ import annotations

import errno
import os
import resource
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.keeping import read_all
from proctor.keeper.order import Order
from proctor.keeper.pipes import SpawnError, Streams
from proctor.keeper.spawner import Spawner

NOBODY = 65534
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
NOT_SPAWNED = b"supervisor: child process was not spawned\n"


@pytest.fixture(params=["quickly", "carefully"])
def spawner(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Spawner:
    """Both ways lead to the same result."""
    if request.param == "carefully":
        monkeypatch.setattr(os, "posix_spawn", refuse(errno.ENOSYS))
    return Spawner({b"PATH": b"/usr/bin:/bin", b"OLD": b"1"}, alone=True)


@pytest.fixture(autouse=True)
def _no_traces() -> Iterator[None]:
    """No descriptor stays, and this process is where and what it was."""
    before = (os.getcwd(), set(os.listdir("/proc/self/fd")))
    umask = os.umask(0o022)
    yield
    assert os.umask(umask) == 0o022
    assert os.getcwd() == before[0]
    assert len(set(os.listdir("/proc/self/fd")) - before[1]) <= 1, "the spawner's home at most"


def refuse(number: int) -> object:
    def call(*_args: object, **_kwargs: object) -> int:
        raise OSError(number, os.strerror(number))

    return call


def run(spawner: Spawner, *argv: str, **order: object) -> tuple[int, bytes, bytes]:
    """(wait status, stdout, stderr)"""
    wanted = Order(key="k", filename=argv[0], argv=argv, **order)  # type: ignore[arg-type]
    return finish(*spawner.spawn(wanted))


def finish(pid: int, streams: Streams) -> tuple[int, bytes, bytes]:
    assert streams.stdout is not None
    out = read_all(streams.stdout)
    err = b"" if streams.stderr is None else read_all(streams.stderr)
    if streams.stdin is not None:
        os.close(streams.stdin)
    return os.waitpid(pid, 0)[1], out, err


def shell(spawner: Spawner, script: str, **order: object) -> bytes:
    status, out, err = run(spawner, "/bin/sh", "-c", script, **order)
    assert (status, err) == (0, b"")
    return out


def test_directory_umask_and_environment(spawner: Spawner, tmp_path: Path) -> None:
    """The child's, not ours; what is added wins over what is inherited."""
    out = shell(
        spawner,
        "pwd; umask; echo $OLD $NEW",
        directory=str(tmp_path),
        umask=0o077,
        environment=[["OLD", "2"], ["NEW", "ä"]],
    )
    assert out.decode().split("\n")[:3] == [str(tmp_path), "0077", "2 ä"]


def test_the_umask_stays_when_none_is_asked_for(spawner: Spawner) -> None:
    """022 here."""
    assert shell(spawner, "umask") == b"0022\n"


def test_every_child_leads_a_group_of_its_own(spawner: Spawner) -> None:
    """In our session."""
    out = shell(spawner, "echo $$; cut -d ' ' -f 5,6 /proc/$$/stat").split()
    assert out[0] == out[1]
    assert int(out[2]) == os.getsid(0)


def test_signals_are_as_the_original_leaves_them(spawner: Spawner) -> None:
    """SIGPIPE and SIGXFSZ ignored (G27), all others at their default, whatever ours are."""
    old = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    try:
        text = shell(spawner, "exec grep -E 'SigBlk|SigIgn|SigCgt' /proc/self/status").decode()
    finally:
        signal.signal(signal.SIGUSR1, old)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    fields = {line.split(":")[0]: int(line.split()[1], 16) for line in text.splitlines()}
    ignored = {n for n in range(1, 65) if fields["SigIgn"] >> (n - 1) & 1} - {32, 33}
    assert ignored == {signal.SIGPIPE, signal.SIGXFSZ}
    assert fields["SigBlk"] == 0


def test_nothing_else_is_open(spawner: Spawner) -> None:
    """Even when dozens of ours are."""
    ours = [os.memfd_create("x") for _ in range(50)]
    try:
        assert shell(spawner, "ls /proc/self/fd").split() == [b"0", b"1", b"2", b"3"]
    finally:
        for fd in ours:
            os.close(fd)


def test_what_we_inherited_is_not_passed_on() -> None:
    """The lock files and sockets of whoever started us are none of the programs' business."""
    leaked = os.memfd_create("x", 0)
    os.set_inheritable(leaked, True)
    try:
        spawner = Spawner({b"PATH": b"/bin"}, alone=True)
        assert shell(spawner, "ls /proc/self/fd").split() == [b"0", b"1", b"2", b"3"]
    finally:
        os.close(leaked)


def test_the_limit_on_open_files_is_the_childrens(monkeypatch: pytest.MonkeyPatch) -> None:
    """We may have a higher one; afterwards we have it still."""
    ours = resource.getrlimit(resource.RLIMIT_NOFILE)
    spawner = Spawner({b"PATH": b"/bin"}, alone=True, open_files=(200, ours[1]))
    assert shell(spawner, "ulimit -n") == b"200\n"
    monkeypatch.setattr(os, "posix_spawn", refuse(errno.ENOSYS))
    assert shell(spawner, "ulimit -n") == b"200\n"
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == ours


@pytest.mark.parametrize("alone", [True, False])
def test_texts_of_those_that_could_not_be_made(alone: bool, tmp_path: Path) -> None:
    """On the child's own stderr, status 127 (compat process.md, 4.3)."""
    spawner = Spawner({}, alone=alone)
    script = tmp_path / "script"
    script.write_text("echo hello\n")
    script.chmod(0o755)
    texts = {
        ("/none", None): b"couldn't exec /none: ENOENT",
        ("/etc/passwd", None): b"couldn't exec /etc/passwd: EACCES",
        (str(script), None): b"couldn't exec %s: ENOEXEC" % os.fsencode(script),
        ("/bin/true", "/none"): b"couldn't chdir to /none: ENOENT",
        ("/bin/true", "/etc/passwd"): b"couldn't chdir to /etc/passwd: ENOTDIR",
        ("/bin/\0true", None): b"couldn't exec /bin/\0true: EINVAL",
    }
    for (filename, directory), text in texts.items():
        status, out, err = run(spawner, filename, directory=directory)
        assert (status, out) == (127 << 8, b"")
        assert err == b"supervisor: " + text + b"\n" + NOT_SPAWNED


def test_the_text_goes_where_stderr_goes(spawner: Spawner) -> None:
    """To stdout with redirect_stderr."""
    _, out, _ = run(spawner, "/none", redirect_stderr=True)
    assert out == b"supervisor: couldn't exec /none: ENOENT\n" + NOT_SPAWNED


def test_our_own_user_is_no_switch(spawner: Spawner) -> None:
    """Also without root."""
    assert shell(spawner, "id -u", uid=os.getuid()) == b"%d\n" % os.getuid()


@AS_ROOT
def test_another_user(spawner: Spawner) -> None:
    """User, group and groups are switched, all of them and for good."""
    out = shell(spawner, "id -u; id -g; id -G", uid=NOBODY, gid=NOBODY, groups=[NOBODY, 7])
    assert out.split() == [b"65534", b"65534", b"65534", b"7"]


@AS_ROOT
def test_another_user_may_open_its_streams_anew(spawner: Spawner) -> None:
    """The pipes belong to the child's user."""
    out = shell(spawner, "echo hello > /dev/stdout; echo < /dev/stdin", uid=NOBODY, gid=NOBODY)
    assert out == b"hello\n\n"


@AS_ROOT
def test_a_directory_only_the_user_may_enter(spawner: Spawner, tmp_path: Path) -> None:
    """The user is switched first: root's rights do not count."""
    tmp_path.chmod(stat.S_IRWXU)
    status, _, err = run(spawner, "/bin/true", uid=NOBODY, gid=NOBODY, directory=str(tmp_path))
    assert status == 127 << 8
    assert b"couldn't chdir to %s: EACCES\n" % os.fsencode(tmp_path) in err


@AS_ROOT
def test_a_user_without_a_group(spawner: Spawner) -> None:
    """Nobody of that uid was found."""
    _, _, err = run(spawner, "/bin/true", uid=54321)
    assert err == b"supervisor: couldn't setuid to 54321: Can't find uid 54321\n" + NOT_SPAWNED


def test_only_root_may_switch(spawner: Spawner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused in the child, in the words people know."""
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    _, _, err = run(spawner, "/bin/true", uid=NOBODY, gid=NOBODY)
    reason = b"Can't drop privilege as nonroot user"
    assert err == b"supervisor: couldn't setuid to 65534: " + reason + b"\n" + NOT_SPAWNED


@AS_ROOT
@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("setgroups", b"Could not set groups of effective user"),
        ("setgid", b"Could not set group id of effective user"),
        ("setuid", b"Could not set user id: EPERM"),
    ],
)
def test_each_step_of_the_switch_may_fail(
    call: str, reason: bytes, spawner: Spawner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the program does not run at all."""
    monkeypatch.setattr(os, call, refuse(errno.EPERM))
    status, _, err = run(spawner, "/bin/true", uid=NOBODY, gid=NOBODY)
    assert status == 127 << 8
    assert err == b"supervisor: couldn't setuid to 65534: " + reason + b"\n" + NOT_SPAWNED


def test_no_descriptors_left(spawner: Spawner) -> None:
    """The step is the pipe, and nothing is left open; the next one may work."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 3, hard))
    try:
        with pytest.raises(SpawnError) as caught:
            spawner.spawn(Order(key="k", filename="/bin/true", argv=["true"]))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (caught.value.step, caught.value.errno) == ("pipe", errno.EMFILE)
    assert run(spawner, "/bin/true") == (0, b"", b"")


def test_no_processes_left(spawner: Spawner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step is the fork."""
    monkeypatch.setattr(os, "posix_spawn", refuse(errno.EAGAIN))
    monkeypatch.setattr(os, "fork", refuse(errno.EAGAIN))
    with pytest.raises(SpawnError) as caught:
        spawner.spawn(Order(key="k", filename="/bin/true", argv=["true"]))
    assert (caught.value.step, caught.value.errno) == ("fork", errno.EAGAIN)


def test_with_others_in_the_process_nothing_of_it_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that makes a file must not see another umask or directory."""

    def forbidden(*_args: object) -> int:
        raise AssertionError("changed the whole process")

    spawner = Spawner({b"PATH": b"/bin"}, alone=False)
    pid = os.getpid()
    for name in ("umask", "chdir"):
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda x, real=real: forbidden() if os.getpid() == pid else real(x)
        )
    out = shell(spawner, "pwd; umask", directory=str(tmp_path), umask=0o027)
    monkeypatch.undo()
    assert out.decode().split() == [str(tmp_path), "0027"]


def test_no_new_privs_holds_for_the_child_and_what_comes_of_it(spawner: Spawner) -> None:
    """Set-user-ID programs give them nothing; others are as before."""
    looked_at = "grep NoNewPrivs /proc/self/status"
    assert shell(spawner, looked_at, no_new_privs=True).split() == [b"NoNewPrivs:", b"1"]
    assert shell(spawner, looked_at).split() == [b"NoNewPrivs:", b"0"]
