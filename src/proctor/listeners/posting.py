"""A JSON object to a web address, and what came back."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping


def post_json(url: str, body: Mapping[str, object], patience: float) -> bytes:
    """The body of the answer.

    Raises OSError or ValueError for an answer that is no success, and when none comes within
    `patience` seconds.
    """
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Proctor"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=patience) as answer:
        found: bytes = answer.read()
    return found
