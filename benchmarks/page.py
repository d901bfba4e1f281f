"""The live page with a thousand running programs: how soon it shows them, how smoothly it scrolls,
and how much memory the daemon takes while it is open.  In a real Chromium, driven by Playwright.

    load     from the start of the navigation until the count says all, the first lines are in the
             document and two frames have been painted after that; cold: nothing cached, warm: again
    frames   between frames while the table is scrolled from top to bottom
    memory   PSS of daemon and keeper before any page, and while one is open and hears of usage

    python benchmarks/page.py [--programs 1000] [--loads 9] [--chromium /usr/bin/chromium]
"""

from __future__ import annotations

import argparse
import shutil
import socket
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from stage import (
    Rival,
    Running,
    build_child,
    daemon,
    pss,
    raise_descriptor_limit,
    scratch,
    wait_for,
)

PROGRAMS = """\
[inet_http_server]
port=127.0.0.1:{port}
[program:many]
command={child} sleep
process_name=m%(process_num)04d
numprocs={count}
startsecs=0
"""
# Runs before the page does.  The clock of `performance` starts with the navigation.
WATCH = """
window.shown = new Promise((done) => {
  const look = () => {
    const all = [...document.querySelectorAll(".choice button")].some(
      (button) => button.textContent.trim() === "All COUNT");
    if (!all || !document.querySelector("[role=row][data-id]")) return requestAnimationFrame(look);
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));
  };
  look();
});
"""
SCROLL = """
() => new Promise((done) => {
  const gaps = [];
  let last = performance.now();
  const step = (now) => {
    gaps.push(now - last);
    last = now;
    scrollBy(0, 240);
    const more = innerHeight + scrollY < document.documentElement.scrollHeight - 1;
    if (more) requestAnimationFrame(step);
    else done(gaps.slice(2));
  };
  requestAnimationFrame(step);
})
"""
# Milliseconds, for Playwright.
PATIENCE = 60_000
# Seconds for which the page is open before memory is measured: several samples of usage.
OPEN = 20.0


@dataclass
class Figures:
    """Of one run.  Milliseconds and MiB."""

    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    closed: float = 0.0
    opened: float = 0.0


def measure(browser: Browser, running: Running, url: str, chosen: argparse.Namespace) -> Figures:
    """Everything, on a daemon whose programs run."""
    found = Figures(closed=memory(running))
    for _ in range(chosen.loads):
        context = fresh(browser, chosen.programs)
        page = context.new_page()
        found.cold.append(load(page, url))
        found.warm.append(load(page, url))
        context.close()
    context = fresh(browser, chosen.programs)
    page = context.new_page()
    load(page, url)
    found.gaps = page.evaluate(SCROLL)
    time.sleep(OPEN)
    found.opened = memory(running)
    context.close()
    return found


def fresh(browser: Browser, count: int) -> BrowserContext:
    """A context with an empty cache."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE)
    context.add_init_script(WATCH.replace("COUNT", str(count)))
    return context


def load(page: Page, url: str) -> float:
    """Milliseconds until it has shown the programs."""
    page.goto(url, wait_until="commit")
    return float(page.evaluate("window.shown"))


def memory(running: Running) -> float:
    """MiB of the daemon and its keeper."""
    return sum(pss(pid) for pid in running.daemons())


def told(found: Figures) -> str:
    """As lines."""
    rows = [
        f"{name:<12}median {statistics.median(times):6.0f}   least {min(times):6.0f}"
        f"   most {max(times):6.0f} ms"
        for name, times in (("load, cold", found.cold), ("load, warm", found.warm))
    ]
    frames = sorted(found.gaps)
    late = frames[len(frames) * 95 // 100]
    rows.append(
        f"{'frames':<12}median {statistics.median(frames):6.1f}   95 % below {late:6.1f}"
        f"   most {frames[-1]:6.1f} ms   ({len(frames)} frames)"
    )
    ratio = found.opened / found.closed
    rows.append(f"{'memory':<12}{found.closed:.1f} to {found.opened:.1f} MiB   x {ratio:.2f}")
    return "\n".join(rows)


def free_port() -> int:
    """One that nobody has at the moment."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--loads", type=int, default=9)
    parser.add_argument("--scripts", type=Path, default=Path(sys.executable).parent)
    parser.add_argument("--chromium", default=shutil.which("chromium") or "chromium-browser")
    chosen = parser.parse_args()
    raise_descriptor_limit()
    port = free_port()
    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    with scratch() as directory, sync_playwright() as playwright:
        child = build_child(directory)
        programs = PROGRAMS.format(port=port, child=child, count=chosen.programs)
        browser = playwright.chromium.launch(executable_path=chosen.chromium, args=flags)
        with daemon(Rival("proctor", chosen.scripts, directory), programs) as running:
            wait_for(lambda: all_run(running))
            print(told(measure(browser, running, f"http://127.0.0.1:{port}/", chosen)))
        browser.close()


def all_run(running: Running) -> bool:
    """Whether every program is RUNNING."""
    infos = running.api().supervisor.getAllProcessInfo()
    assert isinstance(infos, list)
    time.sleep(0.2)
    return all(info["state"] == 20 for info in infos)


if __name__ == "__main__":
    main()
