"""Chat robots that people add to a group: DingTalk, WeCom, Feishu; and ServerChan.

1. They refuse with status 200 and a code in the answer, for instance beyond so many messages a
   minute.  What is not plainly accepted is refused, and comes again.
2. Each takes so many bytes at once; what is longer goes in parts, cut between lines.
3. They are known by the address that the service shows, or by the short form that apprise uses.

Sources: the services' pages for developers of group robots; sctapi.ftqq.com.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterator, Mapping
from enum import Enum
from urllib.parse import parse_qs, quote, urlsplit

from proctor.core.values import dataclass
from proctor.listeners.alert_queue import Message
from proctor.listeners.posting import post_json

_PATIENCE = 30.0
_LEAST = 100  # bytes of text beside the longest title
_CODES = ("errcode", "code", "StatusCode")


class Kind(Enum):
    """A service.  The value is what is shown of it; `most` are bytes at once, title and text."""

    DINGTALK = "dingtalk", 18_000
    WECOM = "wecombot", 2_048
    FEISHU = "feishu", 18_000
    SERVERCHAN = "schan", 30_000

    def __init__(self, shown: str, most: int) -> None:
        self.shown = shown
        self.most = most


@dataclass(frozen=True, slots=True)
class Robot:
    """One robot: its web address, the secret with which it wants to see signatures ("" for none),
    and the mobile numbers of those whose attention it calls (DingTalk)."""

    kind: Kind
    url: str
    secret: str = ""
    mobiles: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """Which service it is."""
        return self.kind.shown

    def send(self, message: Message) -> str:
        """Every part of it; "" or what went wrong with the first that did not get through."""
        room = self.kind.most - len(f"{message.title}\n".encode("utf-8", "replace"))
        for text in parts(message.text, max(room, _LEAST)):
            try:
                answer = post_json(*self._letter(message.title, text, time.time()), _PATIENCE)
            except (OSError, ValueError) as error:
                return str(error)
            if trouble := refusal(answer):
                return trouble
        return ""

    def _letter(self, title: str, text: str, now: float) -> tuple[str, Mapping[str, object]]:
        """Where to, and what: each service has its own form."""
        whole = f"{title}\n{text}"
        match self.kind:
            case Kind.DINGTALK:
                at = {"atMobiles": self.mobiles, "isAtAll": False}
                body = {"msgtype": "text", "text": {"content": whole}, "at": at}
                return self.url + self._dingtalk_signature(round(now * 1000)), body
            case Kind.WECOM:
                return self.url, {"msgtype": "text", "text": {"content": whole}}
            case Kind.FEISHU:
                signature = self._feishu_signature(int(now))
                return self.url, {"msg_type": "text", "content": {"text": whole}, **signature}
            case Kind.SERVERCHAN:
                return self.url, {"title": title, "desp": text.replace("\n", "\n\n")}

    def _dingtalk_signature(self, milliseconds: int) -> str:
        if not self.secret:
            return ""
        sign = _hmac(self.secret, f"{milliseconds}\n{self.secret}")
        return f"&timestamp={milliseconds}&sign={quote(sign, safe='')}"

    def _feishu_signature(self, seconds: int) -> dict[str, str]:
        if not self.secret:
            return {}
        return {"timestamp": str(seconds), "sign": _hmac(f"{seconds}\n{self.secret}", "")}


def _hmac(key: str, text: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), text.encode(), hashlib.sha256)).decode()


def refusal(answer: bytes) -> str:
    """What a robot's answer says against a message; "" when it was accepted."""
    try:
        told = json.loads(answer)
    except ValueError:
        told = None
    codes = [told[name] for name in _CODES if name in told] if isinstance(told, dict) else []
    if codes and not any(codes):
        return ""
    return f"refused: {answer[:300].decode('utf-8', 'replace')}"


def parts(text: str, most: int) -> Iterator[str]:
    """The text in pieces of at most so many bytes, cut between lines where that is possible."""
    piece = ""
    for line in text.splitlines(keepends=True):
        if piece and len((piece + line).encode("utf-8", "replace")) > most:
            yield piece
            piece = ""
        # A character has four bytes at most.
        while len(line.encode("utf-8", "replace")) > most:
            yield line[: most // 4]
            line = line[most // 4 :]  # noqa: PLW2901
        piece += line
    yield piece


def robot_of(url: str) -> Robot | None:
    """The robot that a URL names; None when it names something else.

    `dingtalk://[SECRET@]TOKEN[/MOBILE...]`, `wecombot://KEY`, `feishu://TOKEN`, `schan://SENDKEY`,
    or the address that the service shows, with `&secret=` or `?secret=` for signatures.
    """
    try:
        address = urlsplit(url)
    except ValueError:
        return None
    if address.scheme == "https":
        return _pasted(url)
    secret, _, host = address.netloc.rpartition("@")
    if not re.fullmatch(r"[\w-]+", host):
        return None
    match address.scheme:
        case "dingtalk":
            token = f"https://oapi.dingtalk.com/robot/send?access_token={host}"
            mobiles = tuple(filter(None, address.path.split("/")))
            return Robot(Kind.DINGTALK, token, secret, mobiles)
        case "wecombot":
            return Robot(Kind.WECOM, f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={host}")
        case "feishu":
            return Robot(Kind.FEISHU, f"https://open.feishu.cn/open-apis/bot/v2/hook/{host}")
        case "schan":
            return Robot(Kind.SERVERCHAN, f"https://sctapi.ftqq.com/{host}.send")
    return None


def _pasted(url: str) -> Robot | None:
    """An address as the service shows it to its users."""
    bare, _, query = url.partition("?")
    given = {name: values[0] for name, values in parse_qs(query).items()}
    secret = given.get("secret", "")
    match bare.removeprefix("https://").split("/"):
        case ["oapi.dingtalk.com", "robot", "send"] if token := given.get("access_token"):
            return Robot(Kind.DINGTALK, f"{bare}?access_token={token}", secret)
        case ["qyapi.weixin.qq.com", "cgi-bin", "webhook", "send"] if key := given.get("key"):
            return Robot(Kind.WECOM, f"{bare}?key={key}")
        case ["open.feishu.cn" | "open.larksuite.com", "open-apis", "bot", "v2", "hook", _]:
            return Robot(Kind.FEISHU, bare, secret)
        case ["sctapi.ftqq.com", key] if key.endswith(".send"):
            return Robot(Kind.SERVERCHAN, bare)
    return None
