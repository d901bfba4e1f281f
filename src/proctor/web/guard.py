"""From where: no other site acts through a visitor's browser, and no foreign name leads to us.

1. A request that may change something is refused when the browser says that another site sent it
   (Sec-Fetch-Site, else Origin, else Referer).  Scripts send none of these and are let through,
   also with the GET links of the old page (gotcha G29).
2. With these links a browser acts at once only when a page of ours led to them.  Sec-Fetch-Site is
   not sent to plain HTTP on another machine, and a foreign page can keep Referer back: so a browser
   that says nothing of where it comes from does not act, either.
3. Without a login on a TCP port, the Host must be a name of this machine: else any site could point
   a name of its own at us and talk to us as if we were it (DNS rebinding).  Names of one label and
   addresses cannot be owned by a stranger.  A Host that lacks our port was meant for a proxy in
   front of us, which has names of its own.  A port that is open to the network is reached under
   names that we cannot know; there only requests that show marks of a browser are refused.

Source: scenarios.md, section 1, rule 3.
"""

from __future__ import annotations

import asyncio
import socket
from functools import lru_cache

from proctor.core.logins import is_loopback
from proctor.web.request import Refusal, Request

# A page can keep its browser from sending any of these but accept-language.
_BROWSER_MARKS = ("origin", "referer", "cookie", "sec-fetch-site", "accept-language")


async def check_host(request: Request, asks_for_login: bool) -> None:
    """Raises Refusal 403 for a Host that nobody should reach us under."""
    settings = request.settings
    if settings.file is not None or asks_for_login:
        return
    host, port = _name_and_port(request.headers.get("host", ""))
    if _cannot_be_owned(host) or host == settings.host.lower():
        return
    # A browser leaves out port 80 only, so it did not connect to us: this is a proxy's name.
    if not port and settings.port != 80:
        return
    if not is_loopback(settings.host) and not _looks_like_a_browser(request):
        return
    # In a thread, for it may ask a name server; and once.
    if host not in await asyncio.get_running_loop().run_in_executor(None, _own_names):
        raise Refusal(403, "this server is not known under that Host; give it a login to allow any")


def check_write(request: Request) -> None:
    """Raises Refusal 403 when another site sent a request that may change something."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise Refusal(403, "sent by another site")
        return
    origin = _led_by(request)
    if origin is not None and not _same_origin(request, origin):
        advice = "a proxy must pass on Host (proxy_set_header Host $http_host) or X-Forwarded-Host"
        raise Refusal(403, f"sent by another site, or {advice}")


def was_not_led_here(request: Request) -> bool:
    """Whether a browser came with this GET by a foreign link, a bookmark, or nobody knows how.

    False also for what `check_write` refuses: what another site has loaded behind the user's back.
    """
    if request.method != "GET":
        return False
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site != "same-origin" and request.headers.get("sec-fetch-mode") == "navigate"
    shows_pages = "text/html" in request.headers.get("accept", "")
    led_by = _led_by(request)
    if led_by is not None:
        return shows_pages and not _same_origin(request, led_by)
    # Scripts call themselves Mozilla (PowerShell, curl -A) or accept text/html (Java), but speak no
    # language; a browser always does, and no page can keep it from that.
    return "accept-language" in request.headers and (shows_pages or _is_called_mozilla(request))


def place_of_visitor(request: Request) -> str:
    """`scheme://host` of the page of ours that led here, as its browser calls it; "" without one.

    A proxy that speaks TLS for us, or rewrites Host, leaves us these only here.
    """
    led_by = _led_by(request)
    if led_by is None or not led_by.startswith(("http://", "https://")):
        return ""
    site = request.headers.get("sec-fetch-site")
    ours = _same_origin(request, led_by) if site is None else site == "same-origin"
    return "/".join(led_by.split("/")[:3]) if ours else ""


def _led_by(request: Request) -> str | None:
    return request.headers.get("origin") or request.headers.get("referer")


def _same_origin(request: Request, origin: str) -> bool:
    # Only browsers get here; it takes 0.4 MB with what it loads.
    from urllib.parse import urlsplit

    # A proxy that rewrites Host tells the old one; another site cannot make a browser send that.
    ours = {request.headers.get("host", ""), request.headers.get("x-forwarded-host", "")}
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    default = {"http": ":80", "https": ":443"}.get(parts.scheme)
    if default is None or not parts.netloc:
        return False
    theirs = parts.netloc.lower().removesuffix(default)
    return any(theirs == host.lower().removesuffix(default) for host in ours if host)


def _name_and_port(host: str) -> tuple[str, str]:
    """The parts of a Host header; the name in lower case and without the final dot."""
    if host.startswith("["):
        name, _, rest = host[1:].partition("]")
        return name, rest.removeprefix(":")
    name, _, port = host.partition(":")
    return name.lower().rstrip("."), port


def _cannot_be_owned(host: str) -> bool:
    """Whether nobody can register it and point it at us: an address or a name of one label."""
    return "." not in host or host.endswith(".localhost") or _is_address(host)


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return True
    return False


@lru_cache(maxsize=1)
def _own_names() -> frozenset[str]:
    return frozenset({socket.gethostname().lower(), socket.getfqdn().lower()})


def _looks_like_a_browser(request: Request) -> bool:
    return _is_called_mozilla(request) or any(mark in request.headers for mark in _BROWSER_MARKS)


def _is_called_mozilla(request: Request) -> bool:
    return request.headers.get("user-agent", "").startswith("Mozilla/")
