"""A real browser for the tests of the page: Debian's Chromium, driven by Playwright.

Where there is none the tests are skipped and say so; `.ci/run` installs it.  PROCTOR_CHROMIUM names
another one.  One browser for all tests of a file, no longer: while it is there, Playwright's loop
runs in this thread, and tests elsewhere want to run one of their own.  Each test gets a page of its
own, which must not complain.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from support.daemon import Daemon, Launch
from support.implementations import Implementation
from support.programs import program
from support.rpc import free_port
from support.waiting import GENEROUS

SERVER = "[inet_http_server]\nport=127.0.0.1:{port}\n\n"
# Milliseconds.
PATIENCE = GENEROUS * 1000

Open = Callable[..., Page]

PROGRAMS = (
    program("cat")
    + program("idle", autostart="false", startsecs=1)
    + program("pair", numprocs="2", process_name="p%(process_num)s")
    + program("missing", "/no/such/program", autostart="false", startretries="0")
)


def _chromium() -> str | None:
    named = os.environ.get("PROCTOR_CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    program = _chromium()
    if program is None:
        pytest.skip("no chromium here (apt-get install chromium, or PROCTOR_CHROMIUM)")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        # Its sandbox needs rights that a container does not have; it shows nothing but our pages.
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = playwright.chromium.launch(
            executable_path=program, args=arguments, timeout=PATIENCE
        )
        yield browser
        browser.close()


class Site:
    """A daemon with a page, and the browser that looks at it."""

    def __init__(self, daemon: Daemon, port: int) -> None:
        self.daemon = daemon
        self.port = port
        self.url = f"http://127.0.0.1:{port}/"


Serve = Callable[..., Site]


class Complaints(list[str]):
    """What the browser said against a page; `allowed` are beginnings of what a test expects."""

    def __init__(self) -> None:
        super().__init__()
        self.allowed: list[str] = []

    def hear(self, text: str) -> None:
        """A message of the console, or an error that nobody caught."""
        if not any(part in text for part in self.allowed):
            self.append(text)


@pytest.fixture
def complaints() -> Complaints:
    """Of all pages of this test."""
    return Complaints()


@pytest.fixture
def serve(launch: Launch, ours: Implementation) -> Serve:
    """Start a daemon with these programs and a port for browsers."""

    def start(programs: str, **more: Any) -> Site:
        port = free_port()
        return Site(launch(ours, SERVER.format(port=port) + programs, **more), port)

    return start


@pytest.fixture
def visit(browser: Browser, complaints: Complaints) -> Iterator[Open]:
    """Open an address in a page of its own; options are those of a browser context."""
    contexts: list[BrowserContext] = []

    def visit(url: str, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console",
            lambda said: complaints.hear(said.text) if said.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: complaints.hear(str(error)))
        page.goto(url)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not complaints, complaints


def row(page: Page, name: str) -> Locator:
    """The line of a program."""
    return page.locator(f'[role=row][data-id="{name}"]')


def is_in_state(page: Page, name: str, state: str) -> None:
    """The line of a program tells this state, now or soon."""
    expect(row(page, name).locator(".state")).to_have_text(state)


@pytest.fixture
def site(serve: Serve) -> Site:
    """A few programs."""
    site = serve(PROGRAMS)
    site.daemon.until_state("pair:p1", "RUNNING")
    return site
