"""Kill the daemon at random moments, under full load, and see that nothing is lost.

    make torture ARGS="--kills 300 --programs 50 --writers 4"
    .venv/bin/python benchmarks/torture.py --upgrades 50 --as nobody

What is done and what must be true is told in tests/support/ordeal.py.  Ends with status 1 and the
reason at the first thing that is not; prints one row of docs/reliability.md otherwise.
"""

from __future__ import annotations

import argparse
import platform
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from support import ordinary, pid_namespace
from support.daemon import Daemon
from support.implementations import proctor
from support.ordeal import SETTINGS, Ordeal


def arguments() -> argparse.Namespace:
    """What to do, how often, to how many."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=100, help="how often the daemon is killed")
    parser.add_argument("--upgrades", type=int, default=0, help="how often it is upgraded")
    parser.add_argument("--keepers", type=int, default=0, help="how often the keeper is killed")
    parser.add_argument("--renewals", type=int, default=0, help="how often it is re-execed")
    parser.add_argument("--programs", type=int, default=50, help="writers and idle programs")
    parser.add_argument("--writers", type=int, default=4, help="how many of them write")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the moments")
    parser.add_argument("--as", dest="who", choices=("us", "nobody", "pid1"), default="us")
    return parser.parse_args()


def main() -> int:
    """One ordeal, from the start of the daemon to the checks."""
    chosen = arguments()
    directory = Path(tempfile.mkdtemp(prefix="torture-"))
    daemon = Daemon(proctor(), directory, settings=SETTINGS)
    words = [daemon.implementation.program("supervisord"), "-c", str(daemon.conf)]
    idle = max(0, chosen.programs - chosen.writers)
    ordeal = Ordeal(daemon, chosen.writers, idle, random.Random(chosen.seed), rest=0)
    try:
        match chosen.who:
            case "nobody":
                daemon.start(command=ordinary.as_nobody(words), cwd=directory)
            case "pid1":
                daemon.start(command=[*pid_namespace.as_first(words)])
                first = pid_namespace.first_in(daemon.pid)
                ordeal.outside = lambda pid: pid_namespace.outside(first, pid)
            case _:
                daemon.start()
        run(chosen, ordeal)
    except BaseException:
        print(f"seed {chosen.seed}; what there is to see is in {directory}", file=sys.stderr)
        daemon.stop()
        raise
    # Whoever started the namespace of `pid1` passes no signals on.
    daemon.ctl("shutdown", seconds=120)
    daemon.stop()
    shutil.rmtree(directory)
    return 0


def run(chosen: argparse.Namespace, ordeal: Ordeal) -> None:
    """All deeds in a random order, then the checks, then the row."""
    deeds = [ordeal.kill_daemon] * chosen.kills + [ordeal.upgrade] * chosen.upgrades
    deeds += [ordeal.kill_keeper] * chosen.keepers + [ordeal.renew_keeper] * chosen.renewals
    ordeal.chance.shuffle(deeds)
    ordeal.begin()
    for number, deed in enumerate(deeds, 1):
        ordeal.kill_children(ordeal.chance.randint(0, min(3, chosen.writers)))
        deed()
        say(f"{number} of {len(deeds)}")
    lines = ordeal.check()
    answers = [seconds * 1000 for seconds in ordeal.answers or [0.0]]
    deeds_done = f"{ordeal.deaths} | {ordeal.upgrades} | {ordeal.renewals} | {ordeal.keepers}"
    print(
        f"| {chosen.programs} | {chosen.writers} | {chosen.who} | {deeds_done}"
        f" | {len(ordeal.killed)} | {lines / 1e6:.1f} million"
        f" | {statistics.median(answers):.0f} ms | {max(answers):.0f} ms |"
    )
    print(f"seed {chosen.seed}, Python {platform.python_version()}, Linux {platform.release()}")


def say(text: str) -> None:
    """For whoever watches; not into files."""
    if sys.stderr.isatty():
        print(f"\r{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
