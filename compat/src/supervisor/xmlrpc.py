"""Faults, and the transport for `xmlrpc.client` proxies."""

from __future__ import annotations

import xmlrpc.client as xmlrpclib

from proctor.client.transport import SupervisorTransport
from proctor.core.faults import FaultCode
from proctor.core.info import capped as capped_int

__all__ = [
    "Faults",
    "RPCError",
    "SupervisorTransport",
    "capped_int",
    "getFaultDescription",
    "xmlrpclib",
]


class Faults:
    """Fault codes by name."""

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


def getFaultDescription(code: int) -> str:
    """The name of a fault code; UNKNOWN for any other number."""
    return FaultCode(code).name if code in FaultCode._value2member_map_ else "UNKNOWN"


class RPCError(Exception):
    """Raised by plug-ins to answer a call with a fault; `text` is what the client sees."""

    def __init__(self, code: int, extra: str | None = None) -> None:
        self.code = code
        self.text = getFaultDescription(code) + ("" if extra is None else f": {extra}")
        super().__init__(self.text)

    def __str__(self) -> str:
        return f"code={self.code!r}, text={self.text!r}"
