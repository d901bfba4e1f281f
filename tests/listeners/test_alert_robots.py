"""Chat robots: what they are sent, and what their answers mean."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listeners import hook
from proctor.listeners.alert_queue import Message
from proctor.listeners.alert_robots import Kind, Robot, parts, refusal, robot_of

MESSAGE = Message(7, "x", "[host] web: 意外退出", "line 1\nline 2", 1e9, processes=("web:web",))
WHOLE = f"{MESSAGE.title}\n{MESSAGE.text}"

BODIES = {
    Kind.DINGTALK: {
        "msgtype": "text",
        "text": {"content": WHOLE},
        "at": {"atMobiles": [], "isAtAll": False},
    },
    Kind.WECOM: {"msgtype": "text", "text": {"content": WHOLE}},
    Kind.FEISHU: {"msg_type": "text", "content": {"text": WHOLE}},
    Kind.SERVERCHAN: {"title": MESSAGE.title, "desp": "line 1\n\nline 2"},
}
TAKEN = {
    Kind.DINGTALK: {"errcode": 0, "errmsg": "ok"},
    Kind.WECOM: {"errcode": 0, "errmsg": "ok"},
    Kind.FEISHU: {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "ok"},
    Kind.SERVERCHAN: {"code": 0, "message": "", "data": {"errno": 0, "error": "SUCCESS"}},
}


@pytest.mark.parametrize("kind", Kind)
def test_a_message(kind: Kind) -> None:
    """In the form of each service; only a plain yes is a yes."""
    with hook.serving() as server:
        robot = Robot(kind, f"{server.url}/robot?key=x")
        server.answers.append((200, json.dumps(TAKEN[kind])))
        assert robot.send(MESSAGE) == ""
        assert server.posts == [("/robot?key=x", BODIES[kind])]
        for status, answer in (
            (200, '{"errcode": 130101, "errmsg": "send too fast"}'),
            (200, '{"code": 9499, "msg": "Bad Request"}'),
            (200, "{}"),
            (200, "<html>"),
            (500, json.dumps(TAKEN[kind])),
        ):
            server.answers.append((status, answer))
            assert robot.send(MESSAGE) != ""
        assert len(server.posts) == 6
    assert "refused" in robot.send(MESSAGE)


def test_a_robot_that_wants_signatures() -> None:
    """DingTalk in the address, Feishu in the body; both over the time and the secret."""
    with hook.serving() as server:
        server.answers += [(200, '{"errcode": 0}'), (200, '{"code": 0}')]
        assert Robot(Kind.DINGTALK, f"{server.url}/x?access_token=t", "SECü").send(MESSAGE) == ""
        assert Robot(Kind.FEISHU, f"{server.url}/x", "SECü").send(MESSAGE) == ""
    (path, _), (_, body) = server.posts
    query = {name: value for name, (value,) in parse_qs(urlsplit(path).query).items()}
    assert query["sign"] == _signature("SECü", f"{query['timestamp']}\nSECü")
    assert body["sign"] == _signature(f"{body['timestamp']}\nSECü", "")


def _signature(key: str, text: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), text.encode(), hashlib.sha256)).decode()


def test_what_is_longer_than_the_service_takes() -> None:
    """Goes in parts; a part that is refused makes the whole come again."""
    long = Message(7, "x", "标题" * 20, "行\n" * 1000, 1e9)
    with hook.serving() as server:
        server.answers += [(200, '{"errcode": 0}')] * 3
        assert Robot(Kind.WECOM, server.url).send(long) == ""
        texts = [body["text"]["content"] for _, body in server.posts]
        assert len(texts) == 3
        assert max(len(text.encode()) for text in texts) <= 2048
        assert "".join(text.removeprefix(f"{long.title}\n") for text in texts) == long.text
        server.answers += [(200, '{"errcode": 0}'), (200, '{"errcode": 45009}')]
        assert "45009" in Robot(Kind.WECOM, server.url).send(long)


@given(st.text(st.sampled_from("ab\n中😀"), max_size=60), st.integers(4, 20))
def test_parts_are_the_whole(text: str, most: int) -> None:
    """None is too long, none but the only one is empty."""
    pieces = list(parts(text, most))
    assert "".join(pieces) == text
    assert all(len(piece.encode()) <= most for piece in pieces)
    assert all(pieces) or pieces == [""]


DINGTALK = "https://oapi.dingtalk.com/robot/send?access_token=abc"
WECOM = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=a-1"
LARK = "https://open.larksuite.com/open-apis/bot/v2/hook/a-1"
FEISHU = "https://open.feishu.cn/open-apis/bot/v2/hook/a-1"
SERVERCHAN = "https://sctapi.ftqq.com/SCT1.send"


@pytest.mark.parametrize(
    ("url", "robot"),
    [
        (f"{DINGTALK}&secret=SEC1", Robot(Kind.DINGTALK, DINGTALK, "SEC1")),
        ("dingtalk://SEC1@abc/138", Robot(Kind.DINGTALK, DINGTALK, "SEC1", ("138",))),
        ("dingtalk://abc", Robot(Kind.DINGTALK, DINGTALK)),
        ("wecombot://a-1", Robot(Kind.WECOM, WECOM)),
        (WECOM, Robot(Kind.WECOM, WECOM)),
        (f"{LARK}?secret=s", Robot(Kind.FEISHU, LARK, "s")),
        ("feishu://a-1", Robot(Kind.FEISHU, FEISHU)),
        ("schan://SCT1", Robot(Kind.SERVERCHAN, SERVERCHAN)),
        (SERVERCHAN, Robot(Kind.SERVERCHAN, SERVERCHAN)),
        ("https://oapi.dingtalk.com/robot/send", None),
        ("https://example.com/hook", None),
        ("dingtalk://", None),
        ("https://[::1", None),
        ("tgram://x/y", None),
    ],
)
def test_how_they_are_named(url: str, robot: Robot | None) -> None:
    """As the service shows it, or in short."""
    assert robot_of(url) == robot


def test_an_answer_that_says_nothing_is_no_yes() -> None:
    """Shown as it is, cut."""
    assert refusal(b"[" + b"x" * 1000) == "refused: [" + "x" * 299
    assert refusal(b'["errcode"]') == 'refused: ["errcode"]'
