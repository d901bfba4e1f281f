"""HTML out of values, and the frames of our pages.

Whatever is put into a page is escaped unless it is Markup.  No page has a script or a style in its
text, and its headers tell the browser to run none (scenarios.md, section 1, rule 12).
"""

from __future__ import annotations

from proctor.web.codec import escaped

SECURITY = (
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
)
# Known in advance, so that the browser asks for all of them at once.
_MODULES = (
    *("act", "api", "icons", "later", "lib", "live", "route", "rows", "spark", "store", "stream"),
    *("text", "vendor/hooks", "vendor/htm", "vendor/preact", "vendor/signals-core"),
    "vendor/signals",
)

_WITHOUT_END = frozenset({"input"})


class Markup(str):
    """Text that is HTML already."""


def element(tag: str, *children: str, **attributes: str) -> Markup:
    """An element.  Children and attribute values are escaped, except Markup; `class_` is class."""
    inside = "".join(child if isinstance(child, Markup) else _text(child) for child in children)
    written = "".join(f' {name.rstrip("_")}="{_text(value)}"' for name, value in attributes.items())
    end = "" if tag in _WITHOUT_END else f"</{tag}>"
    return Markup(f"<{tag}{written}>{inside}{end}")


def plain_page(title: str, *body: str) -> str:
    """A page that is no more than its text."""
    return _document(title, element("body", *body), _CLASSIC)


def live_page(*fallback: str) -> str:
    """The page at `/`.  `fallback` is what those see who run no scripts."""
    return _live(element("noscript", _CLASSIC), element("noscript", *fallback))


def light_live_page(fallback: str) -> str:
    """The page at `/` for those who run scripts; others are led on to the address `fallback`."""
    on = Markup(f'<meta http-equiv="refresh" content="0;url={_text(fallback)}">')
    return _live(element("noscript", on))


def _live(unscripted: Markup, body: str = "") -> str:
    modules = [Markup(f'<link rel="modulepreload" href="static/{name}.js">') for name in _MODULES]
    inside = element("body", Markup('<div id="app"></div>'), body)
    return _document("Supervisor Status", inside, _LIVE, unscripted, *modules, _TABLE)


def _document(title: str, body: str, *head: str) -> str:
    inside = element("head", _META, element("title", title), _ICON, *head)
    return f"<!DOCTYPE html>\n{element('html', inside, body, lang='en')}\n"


def _text(text: str) -> str:
    return escaped(text).replace('"', "&quot;").replace("'", "&#39;")


_META = Markup(
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
)
_ICON = Markup('<link rel="icon" href="static/icon.svg" type="image/svg+xml">')
_CLASSIC = Markup('<link rel="stylesheet" href="stylesheets/supervisor.css">')
_LIVE = Markup(
    '<link rel="stylesheet" href="static/page.css">'
    '<script type="module" src="static/main.js"></script>'
)
# What the scripts ask first; so it is there when they are.
_TABLE = Markup('<link rel="preload" as="fetch" crossorigin href="api/v1/processes">')
