"""The question that a browser is asked before an old GET address does something.

The answer is a form, sent by POST: a browser says of each POST which site it comes from, so another
site cannot answer.  No frame of another site can show it, either (see `markup.SECURITY`).
"""

from __future__ import annotations

from collections.abc import Mapping

from proctor.web.markup import element, plain_page

# What is asked, with the name of the process where one is needed; and the word on the button.
_OF_ALL = {
    "stopall": ("Do you want to stop all programs?", "Stop all"),
    "restartall": ("Do you want to restart all programs?", "Restart all"),
}
_OF_ONE = {
    "start": ("Do you want to start {name}?", "Start"),
    "stop": ("Do you want to stop {name}?", "Stop"),
    "restart": ("Do you want to restart {name}?", "Restart"),
    "clearlog": ("Do you want to clear the log of {name}?", "Clear log"),
}


def question(form: Mapping[str, str]) -> str:
    """The page that asks; "" for a form that changes nothing."""
    action, name = form.get("action", ""), form.get("processname", "")
    text, word = (_OF_ONE if name else {}).get(action) or _OF_ALL.get(action) or ("", "")
    if not text:
        return ""
    values = {"action": action, "processname": name} if name else {"action": action}
    fields = [element("input", type="hidden", name=key, value=values[key]) for key in values]
    button = element("button", word)
    ask = element("form", *fields, button, method="post", action="index.html")
    asked = element("p", text.replace("{name}", name))
    return plain_page("Supervisor", asked, ask, element("p", element("a", "No", href="index.html")))
