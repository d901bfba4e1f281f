"""The old page: table, actions, end of a log.  Source: compat web.md."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest

from proctor.core.faults import Fault, FaultCode
from webhost import Reply, Served, a_get, a_post, an_info


def message_of(reply: Reply) -> str:
    """What a redirect tells."""
    assert reply.status == 301
    assert reply.headers["Cache-Control"] == "no-cache"
    location = reply.headers["Location"]
    assert location.startswith("http://localhost/?message=")
    return unquote(location.partition("message=")[2])


def test_ok_html(served: Served) -> None:
    """For load balancers."""
    reply = served.ask(a_get("/ok.html"))
    assert (reply.status, reply.headers["Content-Type"], reply.body) == (200, "text/plain", b"OK")


@pytest.mark.parametrize("path", ["//ok.html", "/%6Fk%2ehtml", "ok.html"])
def test_paths_may_be_written_in_odd_ways(served: Served, path: str) -> None:
    """As the original reads them."""
    assert served.ask(a_get(path)).status == 200


def test_forms_have_a_bounded_number_of_fields(served: Served) -> None:
    """Observed: the original takes hundreds; beyond all reason is 400, not a trace in the log."""
    fields = "&".join(["action=refresh", *(f"f{n}=x" for n in range(200))])
    assert message_of(served.ask(a_post(fields.encode(), path="/"))).startswith("Page refreshed")
    for ask in (a_post(b"a=b&" * 2000, path="/"), a_get("/?" + "a=b&" * 2000)):
        assert served.ask(ask).status == 400
    assert not any("Traceback" in line for line in served.lines)


@pytest.mark.parametrize("path", ["/", "/index.html"])
def test_the_table_shows_every_process_with_its_actions(served: Served, path: str) -> None:
    """State class, description, links with encoded names; nothing is cached or framed."""
    served.service.infos = [
        an_info("web_0", "web"),
        an_info("tired", state=200, statename="FATAL", description="spawn <error>"),
        an_info("busy", state=10, statename="STARTING", description=""),
    ]
    reply = served.ask(a_get(path))
    page = reply.body.decode()
    assert reply.headers["Content-Type"] == "text/html;charset=utf-8"
    assert reply.headers["Expires"] == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]
    assert '<td class="statusrunning">running</td>' in page
    assert 'href="index.html?processname=web%3Aweb_0&amp;action=restart"' in page
    assert 'href="logtail/web%3Aweb_0/stderr"' in page
    assert '<td class="statuserror">fatal</td><td>spawn &lt;error&gt;</td>' in page
    assert re.findall(r"processname=busy&amp;action=(\w+)", page) == ["clearlog"]
    assert re.findall(r"processname=tired&amp;action=(\w+)", page) == ["start", "clearlog"]
    assert re.findall(r"<script[^>]*>", page) == ['<script type="module" src="static/main.js">']
    assert "<table>" in page[page.index("<body>") :].partition("<noscript>")[2]


@pytest.mark.parametrize("mark", ["Sec-Fetch-Dest: document", "Upgrade-Insecure-Requests: 1"])
def test_a_browser_does_not_get_the_table_that_nobody_sees(served: Served, mark: str) -> None:
    """Without scripts it is led to the table, with what the page had to tell."""
    page = served.ask(a_get("/?message=a%26b", mark)).body.decode()
    assert "static/main.js" in page
    assert "<table>" not in page
    found = re.search('<noscript><meta http-equiv="refresh" content="0;url=([^"]*)">', page)
    assert found is not None
    assert found[1] == "index.html?plain=1&amp;message=a%26b"
    plain = served.ask(a_get(f"/{found[1].replace('&amp;', '&')}", mark)).body.decode()
    assert "<table>" in plain
    assert '<p id="message">a&amp;b</p>' in plain
    assert "<script" not in plain


def test_an_empty_table_says_so(served: Served) -> None:
    """Source: compat web.md, section 2."""
    served.service.infos = []
    assert b"No programs to manage" in served.ask(a_get("/")).body


def test_messages_and_names_are_escaped(served: Served) -> None:
    """Whatever comes from outside."""
    served.service.infos = [an_info("<b>\"'&")]
    page = served.ask(a_get("/?message=%3Cscript%3Ealert(1)%3C/script%3E")).body.decode()
    assert '<p id="message">&lt;script&gt;alert(1)&lt;/script&gt;</p>' in page
    assert "<b>" not in page
    assert "%3Cb%3E%22%27%26" in page


def test_the_page_says_when_nothing_can_be_shown(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the daemon stops."""

    async def stopping() -> None:
        raise Fault(FaultCode.SHUTDOWN_STATE)

    monkeypatch.setattr(served.service, "get_all_process_info", stopping)
    assert b"unexpected rpc fault [6] SHUTDOWN_STATE" in served.ask(a_get("/")).body


@pytest.mark.parametrize(
    ("query", "message", "calls"),
    [
        ("action=stopall", r"All stopped at \w{3} \w{3} .* \d{4}", ["stop_all_processes"]),
        (
            "action=restartall",
            r"All restarted at .*",
            ["stop_all_processes", "start_all_processes"],
        ),
        ("action=refresh", r"Page refreshed at .*", []),
        ("action=start&processname=web:web_0", r"Process web:web_0 started", ["start_process"]),
        ("action=start&processname=cat", r"ERROR: Process cat: already started", ["start_process"]),
        ("action=stop&processname=cat", r"Process cat stopped", ["stop_process"]),
        (
            "action=restart&processname=cat",
            r"Process cat restarted",
            ["stop_process", "start_process"],
        ),
        ("action=clearlog&processname=cat", r"Log for cat cleared", ["clear_process_logs"]),
        ("action=start&processname=nope", r"No such process named nope", []),
        ("action=start&processname=web:*", r"No such process named web:\*", []),
        ("action=start", r"No process name given for action start", []),
        ("action=dance", r"Unknown action dance", []),
        ("action=stop&processname=cat&processname=web", r"Process cat stopped", ["stop_process"]),
    ],
)
def test_actions_redirect_with_a_message(
    served: Served, query: str, message: str, calls: list[str]
) -> None:
    """By GET, and by POST with the values in the form."""
    by_get = served.ask(a_get(f"/index.html?{query}"))
    assert re.fullmatch(message, message_of(by_get))
    assert [call[0] for call in served.service.calls] == calls
    by_post = served.ask(a_post(query.encode(), path="/index.html?action=refresh"))
    assert re.fullmatch(message, message_of(by_post))


def test_a_redirect_goes_where_the_client_came_from(served: Served) -> None:
    """The default port is left out; without a Host it is our own."""
    path = "/?action=refresh"
    assert served.ask(a_get(path, "Host: box:80")).headers["Location"].startswith("http://box/?")
    with_port = served.ask(a_get(path, "Host: box:9001")).headers["Location"]
    assert with_port.startswith("http://box:9001/?message=Page%20refreshed%20at%20")
    bare = served.ask(b"GET /?action=refresh HTTP/1.0\r\n\r\n").headers["Location"]
    assert bare.startswith("http://localhost")


@pytest.mark.parametrize(
    ("query", "offset", "text"),
    [
        ("processname=cat", -1024, "a &lt;b&gt;"),
        ("processname=cat&limit=5000", -5000, "a &lt;b&gt;"),
        ("processname=cat&limit=5", -1024, "a &lt;b&gt;"),
        ("processname=cat&limit=x", -1024, "a &lt;b&gt;"),
        ("processname=nope", -1024, "ERROR: unexpected rpc fault [10] BAD_NAME: nope"),
        ("", None, "No process name found"),
    ],
)
def test_the_tail_page(served: Served, query: str, offset: int | None, text: str) -> None:
    """Source: compat web.md, section 4."""
    served.service.log = "a <b>"
    page = served.ask(a_get(f"/tail.html?{query}")).body.decode()
    assert f"<pre>{text}</pre>" in page
    name = re.search("processname=(\\w+)", query)
    assert f"<title>Supervisor tail of process {name and name[1]}</title>" in page
    if offset is not None:
        assert served.service.calls[0][2:] == (offset, 0)
        assert f"&amp;limit={-offset}" in page


def test_the_tail_page_of_a_process_without_a_log(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_FILE has words of its own."""

    async def no_file(*_: object) -> None:
        raise Fault(FaultCode.NO_FILE)

    monkeypatch.setattr(served.service, "read_process_stdout_log", no_file)
    assert b"<pre>No file for cat</pre>" in served.ask(a_get("/tail.html?processname=cat")).body


def test_a_bug_in_a_page_is_500_and_one_line(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Source: compat web.md, section 1."""

    async def bug() -> None:
        raise RuntimeError("oops")

    monkeypatch.setattr(served.service, "get_all_process_info", bug)
    assert served.ask(a_get("/")).status == 500
    (line,) = [line for line in served.lines if "Web interface error" in line]
    assert "ERRO" in line
    assert "oops" in line
