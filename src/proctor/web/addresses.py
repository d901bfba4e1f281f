"""Which face answers which path.

Faces are loaded when somebody asks for them first: a daemon that is only told by XML-RPC what to do
need not carry the pages and the JSON API (a megabyte).
"""

from __future__ import annotations

PAGES = ("/", "/index.html", "/tail.html", "/ok.html")

API = "/api/v1"
# What monitors ask for under names that they all know.
PLAIN = ("/metrics", "/livez", "/readyz")


def is_api(path: str) -> bool:
    """Whether the answer is for programs, also when it is a refusal."""
    return path == API or path.startswith(f"{API}/") or path in PLAIN
