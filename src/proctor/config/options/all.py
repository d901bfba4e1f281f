"""SECTIONS: every type of section there is, in the order of the sample file."""

from __future__ import annotations

from proctor.config.options.client import CTLPLUGIN, SUPERVISORCTL
from proctor.config.options.logins import API_TOKEN, USER_SECTION
from proctor.config.options.program import PROGRAM
from proctor.config.options.servers import INET_HTTP_SERVER, UNIX_HTTP_SERVER
from proctor.config.options.special import (
    EVENTLISTENER,
    FCGI_PROGRAM,
    GROUP,
    INCLUDE,
    RPCINTERFACE,
)
from proctor.config.options.supervisord import SUPERVISORD
from proctor.config.table import SectionType

SECTIONS: tuple[SectionType, ...] = (
    UNIX_HTTP_SERVER,
    INET_HTTP_SERVER,
    USER_SECTION,
    API_TOKEN,
    SUPERVISORD,
    RPCINTERFACE,
    SUPERVISORCTL,
    CTLPLUGIN,
    PROGRAM,
    EVENTLISTENER,
    FCGI_PROGRAM,
    GROUP,
    INCLUDE,
)


def section_type(name: str) -> SectionType | None:
    """The type of a section of the file; None when nobody knows it."""
    return next((kind for kind in SECTIONS if kind.covers(name)), None)
