"""The table of the old page, with the links that do things.  Source: compat web.md, section 2."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from proctor.core.info import ProcessInfo
from proctor.core.names import make_namespec
from proctor.core.states import ProcessState
from proctor.core.version import VERSION
from proctor.web.markup import Markup, element

_RESTING = (ProcessState.STOPPED, ProcessState.EXITED, ProcessState.FATAL)
_CLASSES = {
    ProcessState.RUNNING: "statusrunning",
    ProcessState.FATAL: "statuserror",
    ProcessState.BACKOFF: "statuserror",
}
_BUTTONS = element(
    "p",
    element("a", "Refresh", href="index.html?action=refresh"),
    element("a", "Restart All", href="index.html?action=restartall"),
    element("a", "Stop All", href="index.html?action=stopall"),
)
_FOOTER = element("p", element("a", "Supervisor", href="index.html"), f"{VERSION}, by Proctor")


def body_of(infos: Sequence[ProcessInfo], message: str) -> list[Markup]:
    """All that the old page shows; `message` "" for none."""
    notice = [element("p", message, id="message")] if message else []
    return [*notice, _BUTTONS, _table([_row(info) for info in infos]), _FOOTER]


def _table(rows: Sequence[Markup]) -> Markup:
    if not rows:
        return element("p", "No programs to manage")
    titles = [element("th", title) for title in ("State", "Description", "Name", "Action")]
    return element("table", element("tr", *titles), *rows)


def _row(info: ProcessInfo) -> Markup:
    name = make_namespec(info.group, info.name)
    quoted = quote(name, safe="")
    style = _CLASSES.get(ProcessState(info.state), "statusnominal")
    link = element("a", name, href=f"tail.html?processname={quoted}", target="_blank")
    return element(
        "tr",
        element("td", info.statename.lower(), class_=style),
        element("td", info.description),
        element("td", link),
        element("td", *_links(info.state, quoted)),
    )


def _links(state: int, quoted: str) -> list[Markup]:
    actions = [("Clear Log", "clearlog")]
    if state == ProcessState.RUNNING:
        actions[:0] = [("Restart", "restart"), ("Stop", "stop")]
    elif state in _RESTING:
        actions[:0] = [("Start", "start")]
    links = [
        element("a", title, href=f"index.html?processname={quoted}&action={action}")
        for title, action in actions
    ]
    out = element("a", "Tail -f Stdout", href=f"logtail/{quoted}", target="_blank")
    err = element("a", "Tail -f Stderr", href=f"logtail/{quoted}/stderr", target="_blank")
    return [*links, out, err]
