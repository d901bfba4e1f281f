"""Log bytes to text that every client can read (gotcha G5).

A range of a log is cut by byte offsets, so it may begin and end inside a character, and a program
may have written anything.  Offsets stay byte offsets: only the text is mended.  Characters that a
format cannot carry are the business of whoever writes that format.
"""

from __future__ import annotations

import codecs

_LONGEST_REST = 3


def readable(data: bytes) -> str:
    """UTF-8 text of a range of a log.

    Characters cut at either end are left out; what is not UTF-8 becomes U+FFFD.
    """
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    # Not final: the decoder keeps an unfinished character at the end to itself.
    return decoder.decode(data[_rest_of_a_character(data) :], final=False)


def _rest_of_a_character(data: bytes) -> int:
    """How many bytes at the start belong to a character that began before them."""
    count = 0
    while count < min(len(data), _LONGEST_REST) and data[count] & 0xC0 == 0x80:
        count += 1
    return count
