"""What a daemon says to the person who started it, on stderr, before it has a log or after."""

from __future__ import annotations

import sys

from proctor.keeper.ear import write_politely

_PATIENCE = 1.0


def tell(text: str) -> None:
    """These lines; never an exception.

    What stderr does not take within a second is lost: a start that fails has to end, with its exit
    status, whoever reads.
    """
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    write_politely(f"{text}\n".encode(encoding, "backslashreplace"), _PATIENCE)
