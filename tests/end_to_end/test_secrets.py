"""Secrets of a configuration are in no log, no fault, no answer and no report."""

from __future__ import annotations

from base64 import b64encode

from proctor.core.passwords import hashed, token_digest
from support.daemon import Launch, run
from support.implementations import Implementation
from support.programs import program
from support.rpc import ask, free_port

SECRET = "correct-horse-battery"
HASH = hashed(SECRET.encode(), b"0123456789abcdef")
DIGEST = token_digest(SECRET.encode())
PATHS = (
    "/",
    "/api/v1/daemon",
    "/api/v1/processes",
    "/api/v1/configuration",
    "/api/v1/processes/cat/configuration",
)


def test_no_secret_leaves_the_daemon(launch: Launch, ours: Implementation) -> None:
    """Passwords, hashes, tokens and values of environments; those of clients that guess, too."""
    port = free_port()
    conf = program("cat", "/bin/sleep 1000", environment=f'API_KEY="{SECRET}"') + (
        f"[inet_http_server]\nport=127.0.0.1:{port}\nusername=admin\npassword={SECRET}\n"
        f"[user:alice]\npassword_hash={HASH}\nrole=view\n[api_token:ci]\ntoken_hash={DIGEST}\n"
    )
    daemon = launch(ours, conf, settings="loglevel=blather\n")
    daemon.until_state("cat", "RUNNING")
    login = b64encode(f"alice:{SECRET}".encode()).decode()
    basic = {"Authorization": f"Basic {login}"}
    told = ""
    for headers in (basic, {"Authorization": f"Bearer {SECRET}"}, {"Authorization": "Basic !"}):
        for path in PATHS:
            reply = ask(port, "GET", path, None, headers)
            told += str(reply.headers) + reply.body.decode()
    told += str(daemon.call("supervisor.getAllConfigInfo"))
    told += str(daemon.client.outcome("supervisor.startProcess", "cat"))
    daemon.call("supervisor.sendProcessStdin", "cat", f"{SECRET}\n")
    daemon.conf.write_text(daemon.conf.read_text() + "[user:bob]\npassword=%(nope)s" + SECRET)
    told += str(daemon.ctl("reread"))
    check = [ours.program("supervisord"), "-c", str(daemon.conf), "--check"]
    for command in (check, [*check, "--json"]):
        told += str(run(command, cwd=daemon.directory))
    daemon.until_logged("audit: .*reload_config")  # the last that we did
    told += daemon.log_text() + daemon.console.read_text()
    assert "cannot be expanded" in told
    for secret in (SECRET, HASH, DIGEST, login):
        assert secret not in told
