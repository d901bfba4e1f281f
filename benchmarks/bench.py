"""The original and Proctor side by side in one run; with --floor and --peers those beside them.

Rounds of the rivals alternate case by case on the same generated configuration, so that a busy
machine is busy for all.  Printed are minimum, median and maximum of each, and the ratio of the
medians with what it must reach.

    python benchmarks/bench.py --original DIRECTORY [--quick] [--rounds 3] [--only start,calls]
                               [--floor] [--peers] [--markdown FILE]

DIRECTORY holds the original's console scripts; ours are those beside this Python.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import statistics
import sys
import time
from pathlib import Path

from cases import CASES, GOALS, QUICK, Figures, Setting
from rivals import PEERS, build_floor, floor_figures, peer_figures
from stage import Rival, build_child, raise_descriptor_limit, scratch

Table = dict[str, dict[str, list[float]]]


def note(table: Table, name: str, figures: Figures) -> None:
    """Remember figures of a rival."""
    for figure, value in figures.items():
        table.setdefault(figure, {}).setdefault(name, []).append(value)


def measure(options: argparse.Namespace, setting: Setting) -> Table:
    """All rounds of all cases."""
    table: Table = {}
    home = setting.child.parent
    scripts = {"original": options.original, "proctor": Path(sys.executable).parent}
    rivals = [Rival(name, where, home) for name, where in scripts.items()]
    for turn in range(options.rounds):
        for case in options.only:
            for rival in rivals:
                began = time.monotonic()
                figures = CASES[case](setting, rival)
                note(table, rival.name, figures)
                told = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
                seconds = time.monotonic() - began
                print(
                    f"  round {turn + 1}, {rival.name}: {case} in {seconds:.0f} s: {told}",
                    file=sys.stderr,
                )
            if options.floor:
                note(table, "floor", floor_figures(setting, case))
        for peer in PEERS if options.peers else ():
            if peer.installed:
                note(table, peer.name, peer_figures(setting, peer))
    return table


def lines(table: Table) -> list[list[str]]:
    """The table as rows of words, the head first."""
    others = sorted({name for row in table.values() for name in row} - {"original", "proctor"})
    rows = [["figure", "original", "Proctor", "ratio", "goal", *others]]
    for figure, row in table.items():
        theirs, ours = row.get("original"), row.get("proctor")
        rows.append(
            [
                figure,
                _three(theirs),
                _three(ours),
                _ratio(theirs, ours),
                _goal(figure, theirs, ours),
                *(_three(row.get(name)) for name in others),
            ]
        )
    return rows


def _three(figures: list[float] | None) -> str:
    """Minimum, median and maximum; one figure alone as it is."""
    if not figures:
        return "-"
    if len(figures) == 1:
        return f"{figures[0]:.4g}"
    return f"{min(figures):.4g} {statistics.median(figures):.4g} {max(figures):.4g}"


def _ratio(theirs: list[float] | None, ours: list[float] | None) -> str:
    if not theirs or not ours or not statistics.median(theirs):
        return "-"
    return f"{statistics.median(ours) / statistics.median(theirs):.3f}"


def _goal(figure: str, theirs: list[float] | None, ours: list[float] | None) -> str:
    if figure not in GOALS or not theirs or not ours:
        return ""
    direction, bound = GOALS[figure]
    ratio = statistics.median(ours) / statistics.median(theirs)
    reached = ratio <= bound if direction == "<" else ratio >= bound
    return f"{direction} {bound}" + ("" if reached else " MISSED")


def as_text(rows: list[list[str]]) -> str:
    """In columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def as_markdown(rows: list[list[str]]) -> str:
    """As a table of Markdown."""
    head, *rest = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|" + " --- |" * len(rows[0]), *rest])


def machine() -> str:
    """What the figures are from."""
    load = os.getloadavg()[0]
    return (
        f"{platform.system()} {platform.release().split('-')[0]}, {os.cpu_count()} cores,"
        f" Python {platform.python_version()}, load {load:.1f} at the end,"
        f" {time.strftime('%Y-%m-%d')}"
    )


def main() -> None:
    """Run the rounds and show them."""
    parser = argparse.ArgumentParser(description="Compare Proctor with the original.")
    parser.add_argument("--original", type=Path, required=True, help="where its scripts are")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--quick", action="store_true", help="under two minutes, one round")
    parser.add_argument("--only", type=lambda text: text.split(","), help=", ".join(CASES))
    parser.add_argument("--floor", action="store_true", help="the kernel's part alone, too")
    parser.add_argument("--peers", action="store_true", help="s6 and runit, where installed")
    parser.add_argument("--markdown", type=Path, help="write the table here as well")
    options = parser.parse_args()
    if not os.access(options.original / "supervisord", os.X_OK):
        parser.error(f"no supervisord in {options.original}; `make bench` makes one in .oracle/bin")
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.only = options.only or list(QUICK if options.quick else CASES)
    raise_descriptor_limit()
    # Whoever stops a run by its time must not leave a thousand children behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with scratch() as directory:
        setting = Setting(build_child(directory), options.quick)
        build_floor(directory)
        rows = lines(measure(options, setting))
    print(as_text(rows), machine(), sep="\n\n")
    if options.markdown:
        options.markdown.write_text(f"{as_markdown(rows)}\n\n{machine()}\n")


if __name__ == "__main__":
    main()
