"""Rows of [supervisorctl] and [ctlplugin:x].  Source: compat config.md, sections 8 and 10."""

from __future__ import annotations

from proctor.config.convert import TEXT
from proctor.config.table import Option, SectionType

SERVERURL = Option(
    "serverurl", TEXT, "http://localhost:9001", sample="unix:///tmp/supervisor.sock",
    in_sample=True,
    text="Where the daemon listens: unix:///path, http://host:port or https://host:port.",
)  # fmt: skip
USERNAME: Option[str | None] = Option(
    "username", TEXT, None, sample="admin", text="Login name, if the server asks for one.",
)  # fmt: skip
PASSWORD: Option[str | None] = Option(
    "password", TEXT, None, sample="123", text="Password of the login, in clear text.",
)  # fmt: skip
PROMPT = Option("prompt", TEXT, "supervisor", sample="web1", text="Prompt of the shell.")
HISTORY_FILE: Option[str | None] = Option(
    "history_file", TEXT, None, sample="~/.sc_history", since="3.0a5",
    text="File that remembers the shell's command lines.",
)  # fmt: skip
CAFILE: Option[str | None] = Option(
    "cafile", TEXT, None, sample="/etc/ssl/ours.pem", since="Proctor 0.1",
    text="Authorities to trust for an https:// server; without it, those of this machine.",
)  # fmt: skip
CERTFILE: Option[str | None] = Option(
    "certfile", TEXT, None, sample="/etc/ssl/me.pem", since="Proctor 0.1",
    text="Certificate to show to an https:// server that wants one.",
)  # fmt: skip
KEYFILE: Option[str | None] = Option(
    "keyfile", TEXT, None, sample="/etc/ssl/me.key", since="Proctor 0.1",
    text="Key of that certificate, if it is not in the same file.",
)  # fmt: skip
CTL_FACTORY: Option[str | None] = Option(
    "supervisor.ctl_factory", TEXT, None, sample="module.path:factory",
    text="What to call, as module:attribute; it gets all other options as keyword arguments.",
)  # fmt: skip

SUPERVISORCTL = SectionType(
    "supervisorctl",
    (SERVERURL, USERNAME, PASSWORD, PROMPT, HISTORY_FILE, CAFILE, CERTFILE, KEYFILE),
    text="How supervisorctl finds the daemon.",
    in_sample=True,
)
CTLPLUGIN = SectionType(
    "ctlplugin:", (CTL_FACTORY,), text="More commands for supervisorctl.", open_ended=True,
    example="x",
)  # fmt: skip
