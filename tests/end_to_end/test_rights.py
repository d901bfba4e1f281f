"""Users, roles and TLS, with a real daemon and both supervisorctls."""

from __future__ import annotations

from pathlib import Path

from proctor.core.passwords import hashed
from support.certificates import write
from support.daemon import Daemon, Launch, run
from support.implementations import Implementation
from support.programs import program
from support.rpc import free_port
from support.waiting import until

SECRET = hashed(b"secret", b"0123456789abcdef")
USERS = f"""
[user:vera]
password_hash={SECRET}
[user:otto]
password_hash={SECRET}
role=operate
groups=cat
"""


def said(daemon: Daemon, user: str, *words: str, by: Implementation | None = None) -> str:
    """What supervisorctl prints for a user; it must have failed."""
    answer = daemon.ctl("-s", daemon.environment["URL"], "-u", user, "-p", "secret", *words, by=by)
    assert answer.code == 1
    return answer.out + answer.err


def test_each_user_does_what_their_role_allows(
    launch: Launch, ours: Implementation, original: Implementation
) -> None:
    """The original's supervisorctl shows the number of the refusal, ours its reason.

    What was done, and what was tried in vain, is in the log with the name; the password is not.
    """
    port = free_port()
    conf = program("cat") + program("dog") + USERS + f"[inet_http_server]\nport=127.0.0.1:{port}\n"
    daemon = launch(ours, conf, environment={"URL": f"http://127.0.0.1:{port}"})
    for name in ("cat", "dog"):
        daemon.until_state(name, "RUNNING")
    assert "FORBIDDEN: vera may not stop process cat: that needs the role operate" in said(
        daemon, "vera", "stop", "cat"
    )
    assert "ERROR: FORBIDDEN: vera may not" in said(daemon, "vera", "tail", "cat")
    assert "403" in said(daemon, "vera", "stop", "cat", by=original)
    assert "403" in said(daemon, "vera", "shutdown", by=original)
    assert "none of their groups" in said(daemon, "otto", "stop", "dog")
    stopped = daemon.ctl(
        "-s", daemon.environment["URL"], "-u", "otto", "-p", "secret", "stop", "all"
    )
    assert stopped.out == "cat: stopped\n"
    assert daemon.client.state("dog") == "RUNNING"
    daemon.until_logged("stop_all_processes: 1 OK")
    log = daemon.log_text()
    assert "audit: otto from 127.0.0.1:" in log
    assert "stop_process cat: FORBIDDEN" in log
    assert "secret" not in log + daemon.console.read_text()


def test_supervisorctl_over_tls_and_a_renewed_certificate(
    launch: Launch, ours: Implementation, scratch: Path
) -> None:
    """`reread` is enough for it, nothing is restarted; and a bad file is refused with its place."""
    old, new = write(scratch / "old"), write(scratch / "new")
    certfile = scratch / "server.pem"
    port = free_port()

    def use(chosen: str, key: str) -> None:
        certfile.write_bytes(Path(chosen).read_bytes() + Path(key).read_bytes())

    use(old.certfile, old.keyfile)
    daemon = launch(ours, f"[inet_http_server]\nport=127.0.0.1:{port}\ncertfile={certfile}\n")

    def trusts(cafile: str) -> bool:
        conf = scratch / "client.conf"
        url = f"https://localhost:{port}"
        conf.write_text(f"[supervisorctl]\nserverurl={url}\ncafile={cafile}\n")
        answer = run([ours.program("supervisorctl"), "-c", str(conf), "pid"], cwd=scratch)
        assert answer.code == 0 or "CERTIFICATE_VERIFY_FAILED" in answer.out + answer.err
        return answer.out == f"{daemon.pid}\n"

    assert trusts(old.cafile)
    use(new.certfile, new.keyfile)
    assert daemon.ctl("reread").code == 0
    until(lambda: trusts(new.cafile), "the new certificate")
    assert not trusts(old.cafile)
    certfile.write_text("nonsense")
    refused = daemon.ctl("reread")
    assert "certfile: cannot be used" in refused.out + refused.err
    assert f"{daemon.conf}:" in refused.out + refused.err
    assert trusts(new.cafile)


def test_who_cannot_talk_to_a_tls_server_is_told_what_to_try(
    launch: Launch, ours: Implementation, scratch: Path
) -> None:
    """An http:// URL, an authority that nobody knows here, a wrong name; and https:// where it is
    not spoken."""
    files = write(scratch / "files", "localhost")
    port, plain, strict = free_port(), free_port(), free_port()
    tls = f"certfile={files.certfile}\nkeyfile={files.keyfile}\n"
    other = f"[inet_http_server:plain]\nport=127.0.0.1:{plain}\n"
    other += f"[inet_http_server:strict]\nport=127.0.0.1:{strict}\n{tls}client_ca={files.cafile}\n"
    launch(ours, f"[inet_http_server]\nport=127.0.0.1:{port}\n{tls}{other}")
    conf = scratch / "client.conf"

    def told(program: str, *words: str, cafile: str = "") -> str:
        conf.write_text("[supervisorctl]\n" + (f"cafile={cafile}\n" if cafile else ""))
        command = [ours.program(program), *words[:1], "-c", str(conf), "-s", *words[1:]]
        if program == "supervisorctl":
            command = [ours.program(program), "-c", str(conf), "-s", words[0], "pid"]
        answer = run(command, cwd=scratch)
        return answer.out + answer.err

    trusted = files.cafile
    for words in (("healthy",), ("events",), ()):
        program = "proctor" if words else "supervisorctl"
        assert "use https://" in told(program, *words, f"http://localhost:{port}")
        secure = f"https://localhost:{port}"
        assert "cafile= in [supervisorctl]" in told(program, *words, secure)
        misnamed = told(program, *words, f"https://127.0.0.1:{port}", cafile=trusted)
        assert "a name that is in the server's certificate" in misnamed
        assert "use http://" in told(program, *words, f"https://localhost:{plain}")
        unknown = told(program, *words, f"https://localhost:{strict}", cafile=trusted)
        assert "a certificate that it trusts: certfile= and keyfile= in" in unknown
    assert told("proctor", "healthy", secure, cafile=trusted) == "healthy\n"
