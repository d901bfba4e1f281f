"""An event listener as a program: records every event, and does what its words say.

    recorder.py NAME [WORD...]     appends every event to NAME.events

fail     answers FAIL to everything
gate     answers no event before the file NAME.gate exists
late     says READY when the file NAME.gate exists
stray    prints a line of its own with the first event
fragile  ends in the middle of the third event, once
once     ends after each event, answered
pieces   answers byte by byte
silent   never reads
flood    writes rubbish as fast as it can
twice    says READY two times

It knows nothing of childutils.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main(name: str, *words: str) -> None:
    """Listen until the daemon closes our standard input."""
    say("READY\n" if "late" not in words else "", words)
    if "late" in words:
        wait_for_gate(name)
        say("READY\n", words)
    if "silent" in words:
        time.sleep(1000)
    while "flood" in words:
        os.write(1, b"rubbish\n" * 8192)
    for count in range(1, sys.maxsize):
        if "twice" in words:
            say("READY\n", words)
        answer(name, count, words)
        say("READY\n", words)


def answer(name: str, count: int, words: tuple[str, ...]) -> None:
    """Read an event and answer it."""
    header = sys.stdin.readline()
    if not header:
        sys.exit(0)
    fields = dict(word.split(":", 1) for word in header.split())
    payload = sys.stdin.read(int(fields["len"]))
    with open(f"{name}.events", "a", encoding="utf-8") as file:
        file.write(json.dumps([header, payload]) + "\n")
    if "gate" in words:
        wait_for_gate(name)
    if "fragile" in words and count == 3 and not os.path.exists(f"{name}.died"):
        open(f"{name}.died", "w").close()
        os._exit(1)
    if "stray" in words:
        say("debug: got here\n", words)
    say("RESULT 4\nFAIL" if "fail" in words else "RESULT 2\nOK", words)
    if "once" in words:
        sys.exit(0)


def say(text: str, words: tuple[str, ...]) -> None:
    """Write to the daemon, unbuffered."""
    step = 1 if "pieces" in words else len(text)
    for start in range(0, len(text), step or 1):
        os.write(1, text[start : start + step].encode())
        time.sleep(0.002 if "pieces" in words else 0)


def wait_for_gate(name: str) -> None:
    """Until the test says so."""
    while not os.path.exists(f"{name}.gate"):
        time.sleep(0.01)


if __name__ == "__main__":
    main(*sys.argv[1:])
