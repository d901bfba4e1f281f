"""Ways out of alerts, into real programs and servers on loopback."""

from __future__ import annotations

import errno
import os
import re
import sys
from pathlib import Path

import apprise
import pytest

from listeners import hook
from listeners.postoffice import post_office
from proctor.listeners import alert_channels
from proctor.listeners.alert_channels import open_channel
from proctor.listeners.alert_queue import Message
from support.waiting import until

# Of the standard library, when apprise loads its services.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")

MESSAGE = Message(7, "x", "[host] web: 意外退出", "line 1\nline 2", 1e9, processes=("web:web",))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """apprise rests for seconds between messages to the same service."""
    service = apprise.Apprise.instantiate("mailto://localhost?to=a@b.cc")
    monkeypatch.setattr(type(service), "request_rate_per_sec", 0)


def test_a_command_reads_the_text(tmp_path: Path) -> None:
    """The title is in its environment; what fails is told by its status."""
    channel = open_channel(f'command: (echo "$ALERT_TITLE"; cat) >{tmp_path}/out')
    assert channel.send(MESSAGE) == ""
    assert (tmp_path / "out").read_text() == "[host] web: 意外退出\nline 1\nline 2\n"
    assert open_channel("command:exit 3").send(MESSAGE) == "it ended with status 3"
    assert channel.shown == "command (echo"


def test_a_command_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all that it started."""
    monkeypatch.setattr(alert_channels, "_PATIENCE", 0.3)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    channel = open_channel(f"command: (exec cat {pipe}) & wait")
    assert channel.send(MESSAGE) == "it took longer than 0.3 seconds"

    def is_unread() -> bool:
        try:
            os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        except OSError as error:
            return error.errno == errno.ENXIO
        return False

    until(is_unread, "cat has ended, too")  # it is killed with the shell, but ends when it likes


def test_a_webhook() -> None:
    """A JSON object; any status that is not a success is a reason."""
    with hook.serving() as server:
        channel = open_channel(f"{server.url}/here?token=secret")
        assert channel.send(MESSAGE) == ""
        server.answers += [(500, ""), (404, "")]
        assert "500" in channel.send(MESSAGE)
        assert "404" in channel.send(MESSAGE)
        assert server.posts[0] == ("/here?token=secret", {
            "title": MESSAGE.title, "text": MESSAGE.text, "when": 1e9, "good": False,
            "processes": ["web:web"],
        })  # fmt: skip
        assert "secret" not in channel.shown
    assert "refused" in channel.send(MESSAGE)


def test_a_webhook_that_stalls(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up."""
    monkeypatch.setattr(alert_channels, "_PATIENCE", 0.2)
    with hook.serving() as server:
        server.hold = True
        assert "timed out" in open_channel(server.url).send(MESSAGE)


def test_apprise_by_http() -> None:
    """What it says in its log is the reason."""
    with hook.serving() as server:
        url = f"{server.url.replace('http', 'json')}/token"
        channel = open_channel(url)
        assert channel.send(MESSAGE) == ""
        assert server.posts[0][1]["message"] == MESSAGE.text
        server.answers.append((503, ""))
        assert "503" in channel.send(MESSAGE)
        server.hold = True
        assert "timed out" in open_channel(f"{url}?rto=0.3").send(MESSAGE)
    assert "refused" in channel.send(MESSAGE)
    assert channel.shown == "json"


def test_apprise_by_mail() -> None:
    """Through a real SMTP server, that also says: come back later."""
    with post_office() as office:
        channel = open_channel(f"mailto://{office.host}?from=a@example.com&to=b@example.com")
        assert channel.send(MESSAGE) == ""
        (letter,) = office.letters
        assert office.recipients == [["b@example.com"]]
        assert "To: b@example.com" in letter
        office.refusals = 1
        assert channel.send(MESSAGE) != ""
        assert len(office.letters) == 1
    assert channel.send(MESSAGE) != ""


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://oapi.dingtalk.com/robot/send?access_token=abcdef123456", "dingtalk"),
        ("https://oapi.dingtalk.com/robot/send?access_token=abcdef12&secret=SEC123", "dingtalk"),
        ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=abcdefabcd-1234", "wecombot"),
        ("wecombot://abcdefabcd-1234-1234-1234-123456789012", "wecombot"),
        ("wechat://corp:secret@1000002", "wechat"),
        ("schan://SCT123abc", "schan"),
        ("https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", "slack"),
        ("tgram://123456789:AAfdsfdsfdsfdsfdsfdfsdfsdfdsfdsfdsf/12345", "tgram"),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", "slack"),
    ],
)
def test_services_people_use(url: str, shown: str) -> None:
    """By the URLs of apprise, or by those that the services show."""
    assert open_channel(url).shown == shown


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("jsno://host", r"no service is called jsno://; did you mean json://\?"),
        ("wechat://corp:secret@x", r"this wechat:// URL: The WeChat \(WeCom\) Agent ID \(x\) is"),
        ("tgram://x", "apprise cannot use this tgram:// URL"),
        ("command:", "a channel is"),
        ("ops@example.com", "a channel is"),
    ],
)
def test_urls_that_cannot_be(url: str, why: str) -> None:
    """They say what to do, and nothing of what is in them."""
    with pytest.raises(ValueError, match=why):
        open_channel(url)


def test_without_apprise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands, webhooks and robots need nothing; the rest says what to install."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    monkeypatch.setattr(alert_channels, "_load_apprise", alert_channels._load_apprise.__wrapped__)
    assert open_channel("http://127.0.0.1:1/x").shown == "webhook 127.0.0.1"
    assert open_channel("feishu://x").shown == "feishu"
    with pytest.raises(ValueError, match=re.escape("pip install apprise")):
        open_channel("json://127.0.0.1:1/x")
