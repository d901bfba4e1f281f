"""Service: the rooms of the api under one name."""

from __future__ import annotations

from proctor.api.applying import Applying
from proctor.api.gate import guarded
from proctor.api.gauges import Gauges
from proctor.api.history import Histories
from proctor.api.log_ranges import LogRanges


@guarded
class Service(Applying, LogRanges, Gauges, Histories):
    """One async method per verb, in snake case of its XML-RPC name; every refusal is a Fault.

    The verbs are those of compat xmlrpc.md, section 6, without the aliases, and those of the JSON
    API; answers are ProcessInfo, ActionResult, Plan, SupervisorState, documents, tuples, lists,
    dicts, texts, numbers and True.  What a verb began goes on when its caller is cancelled.  Who
    may ask for what is in `access.py`.
    """
