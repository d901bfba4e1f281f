"""Fault: a request refused, with the public code and text that clients depend on.

Codes and texts are those of Supervisor's XML-RPC interface (compat xmlrpc.md, section 4).
"""

from __future__ import annotations

from enum import IntEnum


class FaultCode(IntEnum):
    """Fault numbers of the XML-RPC interface."""

    UNKNOWN_METHOD = 1
    INCORRECT_PARAMETERS = 2
    BAD_ARGUMENTS = 3
    SIGNATURE_UNSUPPORTED = 4
    SHUTDOWN_STATE = 6
    BAD_NAME = 10
    BAD_SIGNAL = 11
    NO_FILE = 20
    NOT_EXECUTABLE = 21
    FAILED = 30
    ABNORMAL_TERMINATION = 40
    SPAWN_ERROR = 50
    ALREADY_STARTED = 60
    NOT_RUNNING = 70
    SUCCESS = 80
    ALREADY_ADDED = 90
    STILL_RUNNING = 91
    CANT_REREAD = 92
    # Ours, and out of the original's range: old clients show the number as it is.
    FORBIDDEN = 403


class Fault(Exception):
    """A request refused.  `text` is `NAME` or `NAME: detail`, as clients see it."""

    def __init__(self, code: FaultCode | int, detail: str = "") -> None:
        self.code = int(code)
        self.detail = detail
        name = FaultCode(code).name if code in FaultCode._value2member_map_ else "FAULT"
        self.text = f"{name}: {detail}" if detail else name
        super().__init__(self.text)

    @classmethod
    def bad_name(cls, name: str) -> Fault:
        """No process or group is called `name`."""
        return cls(FaultCode.BAD_NAME, name)

    @classmethod
    def received(cls, code: int, text: str) -> Fault:
        """A fault as a server sent it: `text` is kept to the letter, whatever the code."""
        fault = cls(code)
        fault.text = text
        fault.args = (text,)
        return fault
