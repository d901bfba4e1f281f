"""Phones, keyboards, screen readers, no scripts, a thousand programs, odd names, two themes."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from page.conftest import Open, Serve, Site, is_in_state, row
from support.programs import program
from support.waiting import until

AXE = Path(__file__).parent / "vendor" / "axe.min.js"


def test_everything_can_be_done_by_keyboard(site: Site, visit: Open) -> None:
    """No mouse: move, select, stop, look, search, help."""
    page = visit(site.url)
    is_in_state(page, "cat", "running")
    expect(page.locator("dialog[aria-label=Keyboard]")).to_have_count(1)
    press = page.keyboard.press
    press("j")
    expect(row(page, "cat").get_by_role("button", name="cat", exact=True)).to_be_focused()
    press("x")
    expect(page.get_by_label("Select cat")).to_be_checked()
    press("s")
    expect(page.get_by_role("dialog", name="Stop cat?")).to_be_visible()
    press("Enter")
    is_in_state(page, "cat", "stopped")
    press("j")
    expect(row(page, "idle").get_by_role("button", name="idle", exact=True)).to_be_focused()
    press("Enter")
    expect(page.get_by_role("complementary", name="idle")).to_be_visible()
    press("Escape")
    expect(page.get_by_role("complementary")).to_have_count(0)
    press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    press("/")
    expect(page.get_by_label("Search programs")).to_be_focused()


def test_it_fits_on_a_phone(site: Site, visit: Open) -> None:
    """Nothing is wider than the screen, and buttons are large enough for a finger."""
    page = visit(site.url, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    is_in_state(page, "cat", "running")
    wide = "document.documentElement.scrollWidth <= window.innerWidth"
    assert page.evaluate(wide)
    stop = row(page, "cat").get_by_role("button", name="Stop cat", exact=True)
    box = stop.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 40
    row(page, "cat").get_by_role("button", name="cat", exact=True).tap()
    expect(page.get_by_role("complementary", name="cat")).to_be_visible()
    until(lambda: page.evaluate(wide), "it fits")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(site: Site, visit: Open, scheme: str) -> None:
    """In the table, the details, a dialog; in both themes."""
    page = visit(site.url, color_scheme=scheme)
    is_in_state(page, "cat", "running")
    found = _axe(page)
    row(page, "cat").get_by_role("button", name="cat", exact=True).click()
    expect(page.locator(".log pre")).to_be_visible()
    found += _axe(page)
    page.get_by_role("button", name="Configuration").click()
    expect(page.get_by_role("row", name="startsecs")).to_be_visible()
    found += _axe(page)
    row(page, "cat").get_by_role("button", name="Stop cat", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    found += _axe(page)
    assert not found


def _axe(page: Page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    return [
        f"{each['id']}: {node['html'][:200]} {node['failureSummary']}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def test_a_thousand_programs(serve: Serve, visit: Open) -> None:
    """All are there, only those near the window are drawn, and the last is found."""
    site = serve(
        program("many", numprocs="1000", process_name="m%(process_num)04d", autostart="false")
    )
    page = visit(site.url)
    expect(page.get_by_role("button", name="All 1000")).to_be_visible()
    rows = page.locator("[role=row][data-id]")
    expect(rows.first).to_be_visible()
    took = page.evaluate("performance.now()")
    print(f"1000 programs were shown at most {took:.0f} ms after the address was typed")
    assert rows.count() < 300
    page.mouse.move(600, 400)

    def scrolled_down() -> bool:
        page.mouse.wheel(0, 20_000)
        return row(page, "many:m0999").is_visible()

    until(scrolled_down, "the last program is shown")
    page.get_by_label("Search programs").fill("m0500")
    expect(rows).to_have_count(1)


ASKED = """performance.getEntriesByType("resource").map(
  (each) => [each.name.split("/").at(-1), each.startTime, each.responseEnd])"""


def test_the_table_comes_before_all_else(site: Site, visit: Open) -> None:
    """It is asked for once, before the scripts run; what is looked at later comes after it."""
    page = visit(site.url)
    is_in_state(page, "cat", "running")
    expect(page.locator("dialog[aria-label=Keyboard]")).to_have_count(1)
    later = ("keys.js", "details.js", "panel.css")
    starts: dict[str, float] = {}

    def all_came() -> bool:
        starts.update({name: start for name, start, _ in page.evaluate(ASKED)})
        return starts.keys() >= {"daemon", "processes", *later}

    until(all_came, "everything has come")
    asked = page.evaluate(ASKED)
    ((began, done),) = [times for name, *times in asked if name == "processes"]
    assert began < starts["daemon"]
    assert done <= min(starts[name] for name in later)


def test_numbers_in_names_are_sorted_by_size(serve: Serve, visit: Open) -> None:
    """And not by their first digit, stamps of time too; letters without regard to case."""
    long = ["n9000000000001", "n20261129203000"]
    some = program("n", numprocs="11", process_name="n%(process_num)s")
    site = serve(some + "".join(program(name) for name in ("B", *long)))
    page = visit(site.url)
    names = page.locator("[role=row][data-id] .name button")
    expect(names).to_have_text(["B", *(f"n{number}" for number in range(11)), *long])


def test_names_are_text_and_the_policy_is_kept(serve: Serve, visit: Open) -> None:
    """No name becomes markup, and nothing breaks the content security policy."""
    name = "<img_src=x_onerror=document.title=1>"
    site = serve(program("odd", numprocs="2", process_name=f"{name}%(process_num)s"))
    page = visit(site.url)
    found = page.locator("[role=row][data-id] .name button")
    expect(found.first).to_have_text(f"{name}0")
    found.first.click()
    expect(page.get_by_role("complementary").get_by_role("heading")).to_have_text(f"odd:{name}0")
    assert page.title() == "Supervisor Status"


def test_without_scripts_there_is_the_table(site: Site, visit: Open) -> None:
    """With links that do the work, as ever."""
    page = visit(site.url, java_script_enabled=False)
    expect(page.get_by_role("row", name="cat")).to_contain_text("running")
    page.get_by_role("row", name="idle").get_by_role("link", name="Start").click()
    expect(page.locator("#message")).to_have_text("Process idle started")
    expect(page.get_by_role("row", name="idle")).to_contain_text("running")


def test_dark_and_light_can_be_chosen(site: Site, visit: Open) -> None:
    """And the choice is kept."""
    page = visit(site.url, color_scheme="light")
    back = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(back)
    page.get_by_role("button", name="Dark or light").click()
    dark = until(lambda: (now := page.evaluate(back)) != light and now, "it is dark")
    page.reload()
    until(lambda: page.evaluate(back) == dark, "it is dark again")
    page.get_by_role("button", name="Dark or light").click()
    until(lambda: page.evaluate(back) == light, "it is light")
