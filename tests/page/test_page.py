"""The page at / in a real browser: live, and in command."""

from __future__ import annotations

import signal

from playwright.sync_api import expect

from page.conftest import SERVER, Complaints, Open, Serve, Site, is_in_state, row
from proctor.core.passwords import hashed
from support.programs import program
from support.waiting import until


def test_a_change_shows_without_a_reload(site: Site, visit: Open) -> None:
    """Whoever made it: here another client."""
    page = visit(site.url)
    is_in_state(page, "cat", "running")
    pid = site.daemon.client.pid("cat")
    expect(row(page, "cat").locator(".col-pid")).to_have_text(str(pid))
    page.evaluate("window.sameDocument = true")
    site.daemon.call("supervisor.stopProcess", "cat")
    is_in_state(page, "cat", "stopped")
    site.daemon.call("supervisor.startProcess", "cat")
    is_in_state(page, "cat", "running")
    expect(row(page, "cat").locator(".col-pid")).not_to_have_text(str(pid))
    expect(row(page, "cat").locator(".col-restarts")).to_have_text("1")
    assert page.evaluate("window.sameDocument")


def test_groups_come_and_go_without_a_reload(site: Site, visit: Open) -> None:
    """As update makes them; and the page shows what the daemon's files say, and applies it."""
    page = visit(site.url)
    is_in_state(page, "cat", "running")
    server = SERVER.format(port=site.port)
    site.daemon.configure(server + program("cat") + program("fresh"))
    page.get_by_role("button", name="Changes").click()
    plan = page.get_by_role("complementary", name="Changes")
    expect(plan).to_contain_text("Added")
    expect(plan).to_contain_text("stops pair:p0, pair:p1")
    plan.get_by_role("button", name="Apply").click()
    expect(plan).to_contain_text("Applied.")
    expect(plan).to_contain_text("The files say what runs.")
    is_in_state(page, "fresh", "running")
    expect(row(page, "pair:p0")).to_have_count(0)
    assert set(site.daemon.client.states()) == {"cat:cat", "fresh:fresh"}


def test_a_program_is_stopped_when_one_says_so_twice(site: Site, visit: Open) -> None:
    """The dialog asks; no is no."""
    page = visit(site.url)
    stop = row(page, "cat").get_by_role("button", name="Stop cat", exact=True)
    stop.click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert site.daemon.client.state("cat") == "RUNNING"
    stop.click()
    page.get_by_role("dialog").get_by_role("button", name="Stop", exact=True).click()
    is_in_state(page, "cat", "stopped")
    row(page, "cat").get_by_role("button", name="Start cat", exact=True).click()
    is_in_state(page, "cat", "running")


def test_a_group_a_selection_and_all_are_ordered_at_once(site: Site, visit: Open) -> None:
    """Each with one question."""
    page = visit(site.url)
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="Stop group pair").click()
    expect(dialog).to_contain_text("Stop 2 programs?")
    dialog.get_by_role("button", name="Stop", exact=True).click()
    is_in_state(page, "pair:p0", "stopped")
    is_in_state(page, "pair:p1", "stopped")
    page.get_by_label("Select idle").check()
    page.get_by_label("Select pair:p1").check()
    page.get_by_role("group", name="For the selection").get_by_role(
        "button", name="Start", exact=True
    ).click()
    dialog.get_by_role("button", name="Start", exact=True).click()
    is_in_state(page, "idle", "running")
    is_in_state(page, "pair:p1", "running")
    page.get_by_label("Select none").click()
    page.get_by_role("group", name="For all that is shown").get_by_role(
        "button", name="Stop"
    ).click()
    dialog.get_by_role("button", name="Stop", exact=True).click()
    for name in ("cat", "idle", "pair:p1"):
        is_in_state(page, name, "stopped")


def test_the_reason_of_a_failure_shows_where_it_failed(site: Site, visit: Open) -> None:
    """In the line of the program."""
    page = visit(site.url)
    row(page, "missing").get_by_role("button", name="Start missing", exact=True).click()
    expect(row(page, "missing").get_by_role("alert")).to_contain_text("start: NO_FILE")


def test_a_dead_daemon_is_seen_and_its_return_too(
    site: Site, visit: Open, complaints: Complaints
) -> None:
    """At once, without a reload; and what happened meanwhile is there."""
    complaints.allowed.append("net::ERR")
    page = visit(site.url)
    is_in_state(page, "cat", "running")
    site.daemon.signal(signal.SIGTERM)
    expect(page.get_by_role("alert")).to_contain_text("The daemon does not answer")
    site.daemon.wait()
    site.daemon.start()
    expect(page.locator(".top .link")).to_have_text("live")
    expect(page.get_by_role("alert")).to_have_count(0)
    is_in_state(page, "cat", "running")
    expect(row(page, "cat").locator(".col-pid")).to_have_text(str(site.daemon.client.pid("cat")))


def test_the_daemons_log_and_a_configuration_are_there(site: Site, visit: Open) -> None:
    """The second with the place it came from."""
    page = visit(site.url)
    page.get_by_role("button", name="Daemon log").click()
    expect(page.locator(".log pre")).to_contain_text("supervisord started with pid")
    row(page, "cat").get_by_role("button", name="cat", exact=True).click()
    page.get_by_role("button", name="Configuration").click()
    expect(page.get_by_role("complementary")).to_contain_text("supervisord.conf:")
    expect(page.get_by_role("row", name="startsecs")).to_contain_text("0")


def test_search_filters_and_sorting(site: Site, visit: Open) -> None:
    """By name, by kind of state, by column."""
    page = visit(site.url)
    names = page.locator("[role=row][data-id]")
    expect(names).to_have_count(5)
    page.get_by_label("Search programs").fill("PAIR")
    expect(names).to_have_count(2)
    page.get_by_label("Search programs").fill("")
    page.get_by_role("button", name="Stopped 2").click()
    expect(names).to_have_count(2)
    page.get_by_role("button", name="All 5").click()
    page.get_by_role("button", name="State").click()
    states = page.locator("[role=row][data-id] .state")
    expect(states).to_have_text(["running"] * 3 + ["stopped"] * 2)
    page.get_by_role("button", name="Name", exact=True).click()
    page.get_by_role("button", name="pair", exact=True).click()
    expect(names).to_have_count(3)


def test_what_an_old_link_did_is_told_by_the_page(site: Site, visit: Open) -> None:
    """A bookmark of an action leads here, when one says yes to its question."""
    page = visit(f"{site.url}index.html?processname=cat&action=stop")
    expect(page.get_by_text("Do you want to stop cat?")).to_be_visible()
    assert site.daemon.client.state("cat") == "RUNNING"
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("status").filter(has_text="Process cat stopped")).to_be_visible()
    is_in_state(page, "cat", "stopped")
    until(lambda: "message" not in page.url, "the address is as ever")


def test_a_link_of_another_site_asks_first(site: Site, visit: Open) -> None:
    """The link of a page that stops everything, if one follows it."""
    foreign = f'<a href="{site.url}index.html?action=stopall" rel="noreferrer">kittens</a>'
    page = visit(site.url)
    page.route(
        "http://foreign.example/",
        lambda route: route.fulfill(body=foreign, content_type="text/html"),
    )
    page.goto("http://foreign.example/")
    page.get_by_role("link", name="kittens").click()
    expect(page.get_by_text("Do you want to stop all programs?")).to_be_visible()
    page.get_by_role("link", name="No").click()
    is_in_state(page, "cat", "running")
    assert site.daemon.client.state("pair:p1") == "RUNNING"


def test_why_a_program_is_as_it_is(serve: Serve, visit: Open) -> None:
    """In words, with its runs; and it grows while one looks."""
    site = serve(
        program("fail", """/bin/sh -c 'echo the last words; exit 3'""", autorestart="false")
    )
    site.daemon.until_state("fail", "EXITED")
    page = visit(f"{site.url}#fail/history")
    panel = page.get_by_role("complementary", name="fail")
    expect(panel.locator(".why")).to_contain_text("exit status 3")
    expect(panel).to_contain_text("the last words")
    runs = panel.locator("tbody tr")
    expect(runs).to_have_count(1)
    runs.get_by_role("button").click()
    expect(panel.get_by_role("heading", name="What run")).to_be_visible()
    expect(panel.locator(".block")).to_contain_text("the last words")
    panel.get_by_role("button", name="start", exact=True).click()
    expect(runs).to_have_count(2)


def test_what_one_may_not_do_is_not_offered(serve: Serve, visit: Open) -> None:
    """A user who may only look sees the table without its orders, and no log."""
    secret = hashed(b"secret", b"0123456789abcdef")
    site = serve(program("cat") + f"[user:vera]\npassword_hash={secret}\nrole=view\n")
    login = {"username": "vera", "password": "secret"}
    page = visit(site.url, http_credentials=login)
    is_in_state(page, "cat", "running")
    expect(page.locator(".top .link")).to_have_text("live")
    expect(row(page, "cat").get_by_role("button", name="Stop cat", exact=True)).to_have_count(0)
    expect(page.get_by_role("button", name="Changes")).to_have_count(0)
    expect(page.get_by_role("button", name="Daemon log")).to_have_count(0)
    site.daemon.call("supervisor.stopProcess", "cat")
    is_in_state(page, "cat", "stopped")
