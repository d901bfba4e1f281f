"""The methods of namespace `proctor`: what the original does not have, in a namespace of our own.

None of them is told by listMethods, whose answer scripts compare; methodHelp and methodSignature
know them.
"""

from __future__ import annotations

from proctor.core.changes import Plan
from proctor.web.methods import Method


def _plan(answer: object) -> object:
    assert isinstance(answer, Plan)
    return answer.as_struct()


_PLAN = (
    " {removed, changed, added: [{group, stops, starts}], settings: [{section, option, live, old,"
    " new}], problems: [text]}."
)

OWN_METHODS: dict[str, Method] = {
    "diff": Method(
        "diff",
        "struct",
        (),
        "Read the files and say what apply would do, without doing it:" + _PLAN,
        _plan,
        listed=False,
    ),
    "apply": Method(
        "apply",
        "struct",
        (),
        "Read the files and change what differs, nothing else; answer when it is done:" + _PLAN,
        _plan,
        listed=False,
    ),
}
