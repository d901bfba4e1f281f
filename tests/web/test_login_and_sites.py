"""Who may ask, and from which site.  Source: compat xmlrpc.md 2; scenarios.md section 1."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

import pytest

from proctor.web import auth, guard
from support.waiting import until
from webhost import Reply, Served, a_call, a_get, a_post

Serve = Callable[..., Served]
SHA_OF_SECRET = "{SHA}e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4"


def basic(credentials: str | bytes) -> str:
    data = credentials.encode() if isinstance(credentials, str) else credentials
    return f"Authorization: Basic {b64encode(data).decode()}"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for the punishment of failed logins."""
    monkeypatch.setattr(auth, "MAX_DELAY", 0.0)


@pytest.mark.parametrize("path", ["/", "/RPC2", "/ok.html", "/logtail/cat", "/nope"])
def test_every_path_asks_for_the_login(serve: Serve, path: str) -> None:
    """Of both kinds of servers."""
    served = serve(username="user", password="pass")
    for unix in (False, True):
        reply = served.ask(a_get(path), unix=unix)
        assert reply.status == 401
        assert reply.headers["WWW-Authenticate"] == 'Basic realm="default"'
        assert reply.headers["Connection"] == "close"


@pytest.mark.parametrize(
    ("username", "password", "typed", "status"),
    [
        ("user", "pass", "user:pass", 200),
        ("user", "pass", "user:Pass", 401),
        ("user", "pass", "user:", 401),
        ("user", "pass", "User:pass", 401),
        ("user", "pass", ":", 401),
        ("user", "pa:ss", "user:pa:ss", 200),
        ("用户", "密码", "用户:密码", 200),
        ("user", "pass", b"user:\xff\xfe", 401),
        ("user", SHA_OF_SECRET, "user:secret", 200),
        ("user", SHA_OF_SECRET.upper().replace("{SHA}", "{SHA}"), "user:secret", 200),
        ("user", SHA_OF_SECRET, "user:" + SHA_OF_SECRET, 401),
        ("user", SHA_OF_SECRET, "user:Secret", 401),
        ("user", "pass", "userpass", 400),
    ],
)
def test_passwords_are_text_or_a_sha1(
    serve: Serve, username: str, password: str, typed: str | bytes, status: int
) -> None:
    """A password may contain a colon; credentials without one are malformed."""
    served = serve(username=username, password=password)
    assert served.ask(a_get("/ok.html", basic(typed))).status == status


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Authorization: Bearer abc", 401),
        ("Authorization: basic dXNlcjpwYXNz", 200),
        ("Authorization: Basic", 400),
        ("Authorization: Basic ***", 400),
        ("Authorization: Basic =", 400),
    ],
)
def test_odd_authorization_headers(serve: Serve, header: str, status: int) -> None:
    """Another scheme is 401, what cannot be read is 400."""
    served = serve(username="user", password="pass")
    assert served.ask(a_get("/ok.html", header)).status == status


def test_failures_are_logged_sparsely_and_without_what_was_typed(serve: Serve) -> None:
    """The 1st, 2nd, 4th and 8th of ten; success forgets them."""
    served = serve(username="user", password="pass")
    for _ in range(10):
        served.ask(a_get("/", basic("my-password:oops")))
    lines = [line for line in served.lines if "login" in line]
    assert len(lines) == 4
    assert "WARN login to 'inet_http_server' from 127.0.0.1:" in lines[0]
    assert not any("my-password" in line or "oops" in line for line in served.lines)
    assert served.ask(a_get("/ok.html", basic("user:pass"))).status == 200
    served.ask(a_get("/", basic("user:wrong")))
    assert len([line for line in served.lines if "(1 so far)" in line]) == 2


def test_the_user_is_in_the_access_line(serve: Serve) -> None:
    """Who did it."""
    served = serve(username="user", password="pass")
    served.ask(a_get("/ok.html", basic("user:pass")))
    until(lambda: any(" - user [" in line for line in served.lines), "the access line")


def test_a_server_without_a_login_says_so_at_start(serve: Serve) -> None:
    """The wording is grepped for by audits."""
    text = "CRIT Server '{}' running without any HTTP authentication checking\n"
    lines = serve().lines
    assert lines[0].endswith(text.format("inet_http_server"))
    assert lines[1].endswith(text.format("unix_http_server"))
    assert not any("CRIT" in line for line in serve(username="u", password="p").lines)


# Other sites


def call_from(served: Served, *headers: str, unix: bool = False) -> Reply:
    host = any(header.startswith("Host:") for header in headers)
    data = a_post(a_call("supervisor.stopAllProcesses"), *headers)
    return served.ask(data.replace(b"Host: localhost\r\n", b"", 1) if host else data, unix=unix)


HERE = "Host: localhost:9001"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ((), 200),
        (("Sec-Fetch-Site: same-origin",), 200),
        (("Sec-Fetch-Site: none",), 200),
        (("Sec-Fetch-Site: cross-site",), 403),
        (("Sec-Fetch-Site: same-site",), 403),
        ((HERE, "Origin: http://localhost:9001"), 200),
        ((HERE, "Origin: https://localhost:9001"), 200),
        (("Host: localhost", "Origin: http://localhost:80"), 200),
        ((HERE, "Origin: http://localhost:9002"), 403),
        ((HERE, "Origin: http://evil.example"), 403),
        ((HERE, "Origin: null"), 403),
        ((HERE, "Origin: http://[evil"), 403),
        ((HERE, "Referer: http://evil.example/x"), 403),
        ((HERE, "Referer: http://localhost:9001/index.html"), 200),
        ((HERE, "Origin: https://sup.example", "X-Forwarded-Host: sup.example"), 200),
        ((HERE, "Origin: https://evil.example", "X-Forwarded-Host: sup.example"), 403),
    ],
)
def test_calls_of_other_sites_are_refused(
    served: Served, headers: tuple[str, ...], status: int
) -> None:
    """Whether they come by TCP or through a proxy to the unix socket."""
    for unix in (False, True):
        served.service.calls.clear()
        assert call_from(served, *headers, unix=unix).status == status
        assert bool(served.service.calls) == (status == 200)


def test_actions_of_the_page_work_by_get_but_not_from_other_sites(served: Served) -> None:
    """Gotcha G29: scripts and bookmarks use these URLs."""
    path = "/index.html?action=stopall"
    assert served.ask(a_get(path)).status == 301
    assert served.ask(a_get(path, "Sec-Fetch-Site: cross-site")).status == 403
    assert served.ask(a_get(path, "Referer: http://evil.example/")).status == 403
    assert served.service.calls == [("stop_all_processes", True)]
    assert served.ask(a_get("/", "Sec-Fetch-Site: cross-site")).status == 200


TYPED = "Accept: text/html,application/xhtml+xml,*/*;q=0.8"
MOZILLA = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"
VISIT = "Sec-Fetch-Mode: navigate"
SPEAKS = "Accept-Language: en-US,en;q=0.5"
JAVA = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"


@pytest.mark.parametrize(
    ("headers", "acts"),
    [
        (("User-Agent: curl/8.0", "Accept: */*"), True),
        (("User-Agent: Mozilla/5.0 (Windows NT 10.0) PowerShell/7.4",), True),
        (("User-Agent: node", "Accept: */*", "Sec-Fetch-Mode: cors", "Accept-Language: *"), True),
        (("User-Agent: Java/1.8.0_172", f"Accept: {JAVA}"), True),
        (("User-Agent: Mozilla/5.0", "Accept: */*"), True),
        ((TYPED, MOZILLA, VISIT, "Sec-Fetch-Site: same-origin"), True),
        ((TYPED, MOZILLA, HERE, "Referer: http://localhost:9001/"), True),
        ((TYPED, MOZILLA, VISIT, "Sec-Fetch-Site: none"), False),
        ((TYPED, MOZILLA, VISIT, "Sec-Fetch-Site: cross-site"), False),
        ((TYPED, MOZILLA, VISIT, "Sec-Fetch-Site: same-site"), False),
        ((TYPED, MOZILLA, SPEAKS), False),
        ((TYPED, "User-Agent: Lynx/2.9", SPEAKS), False),
        ((TYPED, MOZILLA, HERE, "Referer: http://evil.example/"), False),
        # <img referrerpolicy=no-referrer> in a page of anybody, over plain HTTP.
        ((MOZILLA, "Accept: image/png,*/*;q=0.5", SPEAKS), False),
        # fetch() of such a page may empty some headers, but not leave them out.
        ((MOZILLA, "Accept: */*", "Accept-Language:"), False),
    ],
)
def test_a_browser_is_asked_before_an_address_does_something(
    served: Served, headers: tuple[str, ...], acts: bool
) -> None:
    """Unless a page of ours led it there; scripts are never asked."""
    reply = served.ask(a_get("/index.html?action=stop&processname=cat", *headers))
    assert (reply.status, bool(served.service.calls)) == ((301, True) if acts else (200, False))
    assert (b"Do you want to stop cat?" in reply.body) is not acts


def test_the_question_is_text_and_its_answer_a_form(served: Served) -> None:
    """Which names what will be done; addresses that change nothing ask nothing."""
    visit = (TYPED, "Sec-Fetch-Site: none", VISIT)
    path = "/?processname=%3Cb%3E%22&action=clearlog"
    page = served.ask(a_get(path, *visit)).body.decode()
    assert "clear the log of &lt;b&gt;&quot;?" in page
    assert '<input type="hidden" name="processname" value="&lt;b&gt;&quot;">' in page
    assert '<form method="post" action="index.html">' in page
    for action in ("stopall", "restartall"):
        assert b"all programs?" in served.ask(a_get(f"/?action={action}", *visit)).body
    for action in ("refresh", "dance", "start"):
        assert served.ask(a_get(f"/?action={action}", *visit)).status == 301
    assert not served.service.calls


def test_the_answer_leads_back_by_the_scheme_that_the_browser_used(served: Served) -> None:
    """A browser lets a form of an https page lead to https only."""
    form = b"action=stop&processname=cat"
    secure = a_post(form, "Origin: https://localhost", path="/index.html")
    assert served.ask(secure).headers["Location"].startswith("https://localhost/?message=")


@pytest.mark.parametrize(
    ("headers", "place"),
    [
        (("Host: box:9001", "Referer: https://box:9001/x"), "https://box:9001"),
        # The proxy rewrites Host; the browser knows that the link was ours.
        ((HERE, "Sec-Fetch-Site: same-origin", "Referer: https://a.example/"), "https://a.example"),
        ((HERE, "X-Forwarded-Host: a.example", "Referer: https://a.example/"), "https://a.example"),
        ((HERE, "Sec-Fetch-Site: none", "Referer: https://a.example/"), "http://localhost:9001"),
        ((HERE, "Sec-Fetch-Site: same-origin", "Origin: null"), "http://localhost:9001"),
    ],
)
def test_a_link_leads_back_to_where_the_browser_was(
    served: Served, headers: tuple[str, ...], place: str
) -> None:
    """Behind a proxy, only the browser knows the scheme and the name that it used."""
    reply = served.ask(a_get("/?action=refresh", *headers), unix=True)
    assert reply.headers["Location"].startswith(f"{place}/?message=")


def test_the_refusal_names_what_a_proxy_must_send(served: Served) -> None:
    """Else an honest answer to our question looks like one of another site."""
    post = a_post(b"action=stop&processname=cat", "Origin: http://a.example", path="/index.html")
    reply = served.ask(post)
    assert reply.status == 403
    assert b"X-Forwarded-Host" in reply.body


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:9001", 200),
        ("LOCALHOST.", 200),
        ("app.localhost:1", 200),
        ("127.0.0.1:9001", 200),
        ("10.1.2.3", 200),
        ("[::1]:9001", 200),
        ("supervisor:9001", 200),
        ("sup.example", 200),
        ("evil.example:9001", 403),
        ("evil.example:80", 403),
        ("localhost.evil.example:9001", 403),
        ("127.0.0.1.evil.example:9001", 403),
        ("[evil.example]:9001", 403),
    ],
)
def test_foreign_hosts_are_refused_where_no_login_protects(
    served: Served, host: str, status: int
) -> None:
    """DNS rebinding: a stranger's name must not lead a browser to us.

    A browser that talks to us names our port; without one, it talks to a proxy in front of us.
    """
    assert served.ask(a_get("/ok.html", f"Host: {host}")).status == status
    assert served.ask(a_get("/ok.html", f"Host: {host}"), unix=True).status == 200


def test_with_a_login_any_host_will_do(serve: Serve) -> None:
    """A stranger's site has no credentials of ours."""
    served = serve(username="user", password="pass")
    get = a_get("/ok.html", "Host: supervisor.corp.example", basic("user:pass"))
    assert served.ask(get).status == 200


def test_scripts_reach_an_open_port_under_any_name(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """We cannot know them all; browsers must use one that we know."""
    monkeypatch.setattr(guard, "_own_names", lambda: frozenset({"box.corp.example"}))
    served = serve(host="")
    other, own = "Host: alias.corp.example:9001", "Host: box.corp.example:9001"
    assert served.ask(a_get("/ok.html", other)).status == 200
    origin = "Origin: http://alias.corp.example:9001"
    for browser in ("User-Agent: Mozilla/5.0", origin, "Accept-Language: en"):
        assert served.ask(a_get("/ok.html", other, browser)).status == 403
        assert served.ask(a_get("/ok.html", own, browser)).status == 200
