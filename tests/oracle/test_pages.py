"""The old pages, URL by URL, beside the original: what scripts that were written for it rely on.

Markup is ours; compared are statuses, kinds, redirects with their messages, what the table says and
where its links lead.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest

from oracle.compare import assert_same, side_by_side
from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.programs import OBEDIENT, program
from support.rpc import Reply, ask
from support.waiting import until

pytestmark = pytest.mark.oracle

PROGRAMS = (
    program("cat", OBEDIENT, stdout_logfile="%(here)s/cat.log")
    + program("pair", OBEDIENT, numprocs="2", process_name="p%(process_num)s")
    + program("rest", OBEDIENT, autostart="false", stdout_logfile="NONE")
    + program("never", "/no/such/program", autostart="false")
)

ASKED = (
    "/ok.html",
    "/index.html?action=refresh",
    "/?action=refresh",
    "/index.html?processname=cat&action=start",
    "/index.html?processname=cat&action=clearlog",
    "/index.html?processname=pair%3Ap0&action=restart",
    "/index.html?processname=pair:p1&action=stop",
    "/index.html?processname=pair:p1&action=stop",
    "/index.html?processname=never&action=start",
    "/index.html?processname=nope&action=start",
    "/index.html?processname=pair%3A*&action=stop",
    "/index.html?action=stopall",
    "/index.html?action=restartall",
    "/tail.html?processname=cat",
    "/tail.html?processname=cat&limit=2000",
    "/tail.html?processname=cat&limit=x",
    "/tail.html?processname=rest",
    "/tail.html?processname=nope",
    "/tail.html",
    "/logtail/nope",
    "/stylesheets/supervisor.css",
    "/images/icon.png",
    "/nope.html",
)


def _link(href: str) -> str:
    return unquote(href.replace("&amp;", "&"))


def _told(reply: Reply) -> tuple[object, ...]:
    """What a script sees of a reply."""
    location = unquote(reply.headers.get("location", ""))
    location = re.sub(r" at \w{3} \w{3} .*", " at <time>", location)
    kind = reply.headers.get("content-type", "").partition(";")[0]
    page = reply.body.decode(errors="replace")
    said = re.findall(r"<title>(.*?)</title>|<pre>(.*?)</pre>", page, re.DOTALL)
    plain = reply.body if kind == "text/plain" else b""
    return reply.status, kind if reply.status == 200 else "", location, said, plain


def _visit(daemon: Daemon) -> dict[str, object]:
    for name in ("cat", "pair:p0", "pair:p1"):
        daemon.until_state(name, "RUNNING")
    until(daemon.has_executed_all, "every child runs its program")
    outcomes: dict[str, object] = {}
    for number, path in enumerate(ASKED):
        for method in ("GET", "POST"):
            body = b"from=a+form" if method == "POST" else None
            if method == "GET" or "action" in path:
                reply = ask(daemon.socket, method, path, body)
                outcomes[f"{number} {method} {path}"] = _told(reply)
    page = ask(daemon.socket, "GET", "/index.html?message=a%3Cb").body.decode()
    links = re.findall(r'href="((?:index|tail|logtail)[^"]*)"', page)
    outcomes["links"] = sorted({_link(link) for link in links} - {"index.html"})
    outcomes["message"] = "a&lt;b" in page
    outcomes["states"] = re.findall(
        r'class="(status(?:running|error|nominal))"[^>]*>([^<]*)<', page
    )
    return outcomes


def test_every_old_url_answers_as_it_did(
    launch: Launch, original: Implementation, ours: Implementation
) -> None:
    """Statuses, redirects, messages, titles, texts, links of the table, state classes."""
    daemons = [launch(one, PROGRAMS) for one in (original, ours)]
    theirs, mine = side_by_side(_visit, *daemons)
    assert_same("pages", theirs, mine)
