"""Makes the pictures of the page, with a real daemon and a real browser:

    .venv/bin/python docs/screenshots/make.py

It needs chromium (apt-get install chromium fonts-droid-fallback) and takes about a minute, for the
lines of CPU and memory to grow.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
SECONDS_OF_SAMPLES = 65

# Works for a while, rests for a while, and holds some memory.
WORK = """import random, sys, time
held = []
while True:
    until = time.time() + random.random() * float(sys.argv[1])
    while time.time() < until:
        sum(range(2000))
    held = [bytes(1000) for _ in range(random.randrange(int(sys.argv[2])))]
    time.sleep(random.random() * 3)
"""
TALK = """import itertools, random, time
G, Y, R, B, D, N = (f"\\033[{n}m" for n in (32, 33, 31, "1;34", 2, 0))
for n in itertools.count(1):
    took = random.randrange(4, 90)
    colour = Y if took > 60 else G
    clock = f"{D}{time.strftime('%H:%M:%S')}{N}"
    print(f"{clock} {B}POST{N} /订单/{4000 + n} {colour}200{N} {took} ms", flush=True)
    if n % 7 == 0:
        print(f"{clock} {R}ERROR{N} 库存服务超时 (重试 1/3)", flush=True)
    time.sleep(0.3)
"""
PROGRAMS = """
[program:web]
command={python} %(here)s/work.py 0.15 60000
process_name=web_%(process_num)d
numprocs=4
[program:orders]
command={python} -u %(here)s/talk.py
[program:search]
command={python} %(here)s/work.py 0.6 30000
[program:mail]
command={python} %(here)s/work.py 0.02 2000
[program:cache]
command={python} %(here)s/work.py 0.05 90000
[group:backend]
programs=orders,search,mail,cache
[program:结算]
command={python} %(here)s/work.py 0.1 20000
[program:import]
command=/bin/sh -c 'echo "Traceback: cannot reach db-3:5432"; sleep 1.3; exit 3'
autorestart=true
[program:report]
command=/opt/report/bin/report --daily
[program:backup]
command=/bin/sh -c 'sleep 4; echo 12 GB in 3 files'
startsecs=0
autorestart=unexpected
[program:thumbnails]
command={python} %(here)s/work.py 0.1 100
autostart=false
"""
HEAD = """[unix_http_server]
file=%(here)s/s.sock
[inet_http_server]
port=127.0.0.1:{port}
[supervisord]
identifier=shop-1
logfile=%(here)s/supervisord.log
pidfile=%(here)s/supervisord.pid
childlogdir=%(here)s
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""


def main() -> None:
    """Start, look, save, stop."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    directory = Path(tempfile.mkdtemp(prefix="shop-"))
    for name, text in (("work.py", WORK), ("talk.py", TALK)):
        (directory / name).write_text(text, encoding="utf-8")
    conf = directory / "supervisord.conf"
    text = HEAD.format(port=port) + PROGRAMS.format(python=sys.executable)
    conf.write_text(text, encoding="utf-8")
    words = [str(Path(sys.executable).parent / "supervisord"), "-n", "-c", str(conf)]
    with (directory / "out").open("w") as out:
        daemon = subprocess.Popen(words, stdout=out, stderr=out)
    try:
        url = f"http://127.0.0.1:{port}/"
        _wait_for(url)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            _take_all(browser, url, conf)
            browser.close()
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(30)
        shutil.rmtree(directory)


def _wait_for(url: str) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(f"{url}ok.html").close()
            return
        except OSError:
            time.sleep(0.1)


def _take_all(browser: Browser, url: str, conf: Path) -> None:
    light = browser.new_page(viewport={"width": 1280, "height": 760})
    dark = browser.new_page(viewport={"width": 1280, "height": 720}, color_scheme="dark")
    phone = browser.new_page(
        viewport={"width": 390, "height": 760}, is_mobile=True, device_scale_factor=2
    )
    for page in (light, dark, phone):
        page.goto(url)
    light.wait_for_timeout(SECONDS_OF_SAMPLES * 1000)
    _save(light, "overview")
    _save(phone, "phone")
    dark.get_by_role("button", name="orders", exact=True).click()
    dark.locator(".line").first.wait_for()
    _save(dark, "log-dark")
    light.get_by_role("button", name="import", exact=True).click()
    light.get_by_role("button", name="History").click()
    light.locator("tbody tr").first.wait_for()
    _save(light, "why")
    text = conf.read_text(encoding="utf-8").replace("numprocs=4", "numprocs=5")
    text = text.replace("[program:thumbnails]", "[program:resize]")
    conf.write_text(text, encoding="utf-8")
    light.get_by_role("button", name="Changes").click()
    light.get_by_text("Added").wait_for()
    _save(light, "changes")


def _save(page: Page, name: str) -> None:
    page.wait_for_timeout(500)
    page.screenshot(path=HERE / f"{name}.png")


if __name__ == "__main__":
    main()
