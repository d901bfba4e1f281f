"""Ways out: a command, a webhook, a robot (`alert_robots`), and whatever apprise knows, which is
loaded only if a channel needs it.

1. `send` answers with "" when the message is out, else with why not; it gives up in bounded time.
2. A URL may hold passwords: it is never shown, `shown` is what can be.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from types import ModuleType
from typing import Protocol
from urllib.parse import urlsplit

from proctor.config.table import closest
from proctor.listeners.alert_queue import Message
from proctor.listeners.alert_robots import Robot, robot_of
from proctor.listeners.posting import post_json

_PATIENCE = 30.0

# Slack's address as it shows it to its users; apprise has a name of its own for it.
_SLACK = re.compile(r"https://hooks\.slack\.com/services/(\w+/\w+/\w+)")


class Channel(Protocol):
    """One way out."""

    @property
    def key(self) -> str:
        """The same for the same channel, also in the next process."""

    @property
    def shown(self) -> str:
        """Which one it is, without its secrets."""

    def send(self, message: Message) -> str:
        """Try once; "" or what went wrong."""


def open_channel(url: str) -> Channel:
    """The channel of a URL.  Raises ValueError, whose text says what to do."""
    scheme, colon, rest = url.partition(":")
    if not colon or not rest.strip("/ "):
        raise ValueError("a channel is command:..., http(s)://... or a URL of apprise")
    if scheme == "command":
        return CommandChannel(rest.strip())
    if robot := robot_of(url):
        return RobotChannel(url, robot)
    if slack := _SLACK.fullmatch(url):
        url = f"slack://{slack[1]}"
    if url.startswith(("http:", "https:")):
        return WebhookChannel(url)
    return AppriseChannel(url)


def _key(url: str) -> str:
    return hashlib.sha256(url.encode("utf-8", "surrogateescape")).hexdigest()[:12]


class CommandChannel:
    """A shell command; it reads the text, and finds the title in ALERT_TITLE."""

    def __init__(self, command: str) -> None:
        self._command = command
        self.key = _key(f"command:{command}")
        self.shown = f"command {command.split(maxsplit=1)[0]}"

    def send(self, message: Message) -> str:
        """Its exit status 0 means that the message is out."""
        child = subprocess.Popen(
            self._command,
            shell=True,
            stdin=subprocess.PIPE,
            # Our own standard output belongs to supervisord.
            stdout=sys.stderr.fileno(),
            env={**os.environ, "ALERT_TITLE": message.title},
            process_group=0,
        )
        try:
            child.communicate(f"{message.text}\n".encode("utf-8", "replace"), _PATIENCE)
        except subprocess.TimeoutExpired:
            # The shell and all that it started.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            return f"it took longer than {_PATIENCE:g} seconds"
        return f"it ended with status {child.returncode}" if child.returncode else ""


class WebhookChannel:
    """POSTs the message as a JSON object."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.key = _key(url)
        self.shown = f"webhook {urlsplit(url).hostname}"

    def send(self, message: Message) -> str:
        """Any status below 300 means that the message is out."""
        known = asdict(message)
        body = {name: known[name] for name in ("title", "text", "when", "good", "processes")}
        try:
            post_json(self._url, body, _PATIENCE)
        except (OSError, ValueError) as error:
            return f"{error}"
        return ""


class RobotChannel:
    """A robot in a group of people."""

    def __init__(self, url: str, robot: Robot) -> None:
        self.key = _key(url)
        self.shown = robot.shown
        self.send = robot.send


class AppriseChannel:
    """Anything that apprise has a URL for."""

    def __init__(self, url: str) -> None:
        with _overheard() as lines:
            service = _load_apprise().Apprise.instantiate(url)
        if service is None:
            raise ValueError(_what_is_wrong(url.partition(":")[0], lines))
        if "overflow=" not in url:
            service.overflow_mode = "split"
        self._service = service
        self.key = _key(url)
        self.shown = url.partition(":")[0]

    def send(self, message: Message) -> str:
        """apprise answers yes or no; its own log says why."""
        kind = "success" if message.good else "failure"
        with _overheard() as lines:
            try:
                sent = self._service.notify(message.text, message.title, notify_type=kind)
            except (OSError, TypeError, ValueError) as error:
                return str(error)
        return "" if sent else "; ".join(lines) or "refused"


@contextlib.contextmanager
def _overheard() -> Iterator[list[str]]:
    """What apprise logs in this thread meanwhile."""
    said, logger = _Overheard(), logging.getLogger("apprise")
    logger.addHandler(said)
    try:
        yield said.lines
    finally:
        logger.removeHandler(said)


class _Overheard(logging.Handler):
    """Keeps warnings, and the reasons that apprise thinks are for debugging only."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it, if it is of this thread."""
        text = record.getMessage()
        told = record.levelno >= logging.WARNING or "Exception" in text
        if record.thread == self._thread and told:
            self.lines.append(text.strip())


@cache
def _load_apprise() -> ModuleType:
    """The package.  Raises ValueError when it is not installed."""
    try:
        import apprise
    except ImportError:
        raise ValueError("this channel needs the package apprise (pip install apprise)") from None
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    return apprise


def _what_is_wrong(scheme: str, lines: list[str]) -> str:
    known = [str(each) for each in _load_apprise().plugins.N_MGR.schemas()] + ["command"]
    if scheme in known:
        why = lines[0] if len(lines) > 1 else "something in it is missing or wrong"
        return f"apprise cannot use this {scheme}:// URL: {why}"
    close = closest(scheme, known)
    return f"no service is called {scheme}://" + (f"; did you mean {close}://?" if close else "")
