"""The files of the page: how they are served, and that the page asks for nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import proctor.web
from webhost import Served, a_get

STATIC = Path(proctor.web.__file__).parent / "static"
FILES = sorted(
    path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.suffix != ".svg"
)


@pytest.mark.parametrize("name", FILES)
def test_every_file_of_the_package_is_served(served: Served, name: str) -> None:
    """As it lies there, with a kind that the browser must not guess at."""
    if not (STATIC / name).is_file():
        return
    reply = served.ask(a_get(f"/static/{name}"))
    assert (reply.status, reply.body) == (200, (STATIC / name).read_bytes())
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    kinds = {".js": "text/javascript", ".css": "text/css", ".png": "image/png"}
    suffix = Path(name).suffix
    assert reply.headers["Content-Type"] == kinds.get(suffix, "text/plain;charset=utf-8")


def test_an_unchanged_file_is_not_sent_again(served: Served) -> None:
    """The browser asks each time, so an upgrade shows at once."""
    first = served.ask(a_get("/static/main.js"))
    assert first.headers["Cache-Control"] == "no-cache"
    again = served.ask(a_get("/static/main.js", f"If-None-Match: {first.headers['ETag']}"))
    assert (again.status, again.body) == (304, b"")
    other = served.ask(a_get("/static/main.js", 'If-None-Match: "old"'))
    assert other.status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static/vendor",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static//etc/x",
        "/static/vendor/../../app.py",
        "/static/main.js%00",
        "/static/./main.js",
        "/static//main.js",
        f"/static/{300 * 'a'}.js",
    ],
)
def test_no_path_leads_out_of_the_folder(served: Served, path: str) -> None:
    """Nor to a listing of it."""
    assert served.ask(a_get(path)).status == 404


@pytest.mark.parametrize("path", ["/stylesheets/supervisor.css", "/images/icon.png"])
def test_addresses_of_the_original_are_there(served: Served, path: str) -> None:
    """Bookmarks and dashboards show them."""
    assert served.ask(a_get(path)).status == 200


def test_the_page_is_made_of_files_of_ours(served: Served) -> None:
    """No other site is asked for anything, and all that is named exists."""
    page = served.ask(a_get("/")).body.decode()
    named = re.findall(r'<(?:link|script)[^>]*(?:href|src)="([^"]*)"', page)
    assert "static/main.js" in named
    # What it asks the API first; page/ looks at the answer.
    named.remove("api/v1/processes")
    for name in named:
        assert served.ask(a_get(f"/{name}")).status == 200
    for path in STATIC.rglob("*.js"):
        for name in re.findall(r'(?:from|import)\s*\(?"([^"]*)"', path.read_text("utf-8")):
            assert (path.parent / name).is_file(), f"{path.name} imports {name}"


def test_pages_may_run_only_what_comes_from_here(served: Served) -> None:
    """Source: scenarios.md, section 1, rule 12."""
    for path in ("/", "/tail.html?processname=cat"):
        reply = served.ask(a_get(path))
        policy = reply.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert not re.search(rb"<script[^>]*>[^<]|<style|\son\w+=|\sstyle=", reply.body)
