"""Logs on the page: followed, in colours, searched, from the beginning, saved."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from page.conftest import Open, Serve
from support.programs import OBEDIENT, program
from support.waiting import until


def test_a_log_is_followed_in_colours_and_in_chinese(serve: Serve, visit: Open) -> None:
    """Known codes colour it, others vanish, and text is never markup."""
    site = serve(program("talk", OBEDIENT, redirect_stderr="true"))
    page = visit(f"{site.url}#talk/log")
    log = page.locator(".log pre")

    def say(text: str) -> None:
        site.daemon.call("supervisor.sendProcessStdin", "talk", f"printf '{text}'\n")

    say(r"\033[31m错误\033[0m: 磁盘已满 \033]0;title\007\033[2Jend\n")
    expect(log.locator(".line").first).to_have_text("错误: 磁盘已满 end")
    expect(log.locator(".fg1")).to_have_text("错误")
    say(r"<script>window.broken = 1</script><img src=x onerror=alert(1)>\n")
    expect(log).to_contain_text("<script>window.broken = 1</script><img src=x onerror=alert(1)>")
    assert page.evaluate("window.broken") is None
    say(r"\033[38;2;1;2;3mrgb\033[0m 10%%\r100%%\n")
    expect(log.locator(".line").last).to_have_text("100%")
    page.get_by_label("Find in log").fill("磁盘")
    expect(log.locator("mark")).to_have_text("磁盘")
    expect(log.locator(".line")).to_have_count(1)


def test_what_was_earlier_comes_when_one_scrolls_up(serve: Serve, visit: Open) -> None:
    """A long log is read from its end."""
    command = """/bin/sh -c 'seq -f "line %%06.0f of the log" 1 20000; cat'"""
    site = serve(program("long", command))
    page = visit(f"{site.url}#long/log")
    log = page.locator(".log pre")
    expect(log).to_contain_text("line 020000")
    expect(log).not_to_contain_text("line 016000 ")
    follow = page.get_by_role("button", name="Follow")
    expect(follow).to_have_attribute("aria-pressed", "true")
    log.hover()

    def scrolled_back() -> bool:
        page.mouse.wheel(0, -100_000)
        return "line 016000 " in (log.text_content() or "")

    until(scrolled_back, "earlier lines are there")
    expect(follow).to_have_attribute("aria-pressed", "false")
    numbers = [int(n) for n in re.findall(r"line (\d+) of the log", log.text_content() or "")]
    assert numbers == list(range(numbers[0], 20001))


def test_a_log_can_be_saved_as_it_is(serve: Serve, visit: Open, tmp_path: Path) -> None:
    """Byte for byte."""
    site = serve(program("bytes", r"""/bin/sh -c 'printf "a\000\377\033[1mz\n"; cat'"""))
    page = visit(f"{site.url}#bytes/log")
    expect(page.locator(".log pre")).to_contain_text("z")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "bytes-stdout.log"
    download.value.save_as(tmp_path / "log")
    assert (tmp_path / "log").read_bytes() == b"a\0\xff\x1b[1mz\n"


def test_a_signal_is_chosen_in_the_dialog(serve: Serve, visit: Open) -> None:
    """From the details of a program."""
    site = serve(
        program(
            "trap", """/bin/sh -c 'trap "echo heard" USR1; echo up; while :; do read x; done'"""
        )
    )
    page = visit(f"{site.url}#trap/log")
    expect(page.locator(".log pre")).to_contain_text("up")
    page.get_by_role("complementary").get_by_role("button", name="Signal").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Signal").select_option("USR1")
    dialog.get_by_role("button", name="Signal").click()
    expect(page.locator(".log pre")).to_contain_text("heard")
