"""The mark of a deferred answer: a plug-in's function returns it until it is done."""

from __future__ import annotations

from proctor.web.third_party import NOT_DONE_YET
from supervisor.absent import absent

__all__ = ["NOT_DONE_YET"]
__getattr__ = absent(__name__)
