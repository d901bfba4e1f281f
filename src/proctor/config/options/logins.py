"""Rows of [user:x] and [api_token:x]: who may come in, and what they may do then."""

from __future__ import annotations

from proctor.config.convert import BOOLEAN, TEXT, WORDS
from proctor.config.kinds_of_logins import HASH, MOMENT, ROLE, TOKEN_HASH
from proctor.config.table import Option, SectionType
from proctor.core.caller import EVERYTHING, Role

USER_PASSWORD: Option[str | None] = Option(
    "password", TEXT, None, sample="123", since="Proctor 0.1",
    text="Password in clear text; better is password_hash.",
)  # fmt: skip
PASSWORD_HASH: Option[str | None] = Option(
    "password_hash", HASH, None, sample="{SHA}82ab876d1387bfafe46cc1c8a2ef074eae50cb1d",
    since="Proctor 0.1", text="What `proctor hash-password` prints for the password.",
)  # fmt: skip
TOKEN: Option[str | None] = Option(
    "token_hash", TOKEN_HASH, None, sample="sha256$" + "0" * 64, since="Proctor 0.1",
    text="What `proctor hash-password --token` prints beside the token.",
)  # fmt: skip
ROLE_OPTION = Option(
    "role", ROLE, Role.VIEW, sample="view", since="Proctor 0.1",
    text="view: look; operate: also start, stop and signal; admin: also change the configuration "
    "and end the daemon.",
)  # fmt: skip
GROUPS: Option[tuple[str, ...]] = Option(
    "groups", WORDS, EVERYTHING, sample="*", since="Proctor 0.1",
    text="Names or patterns of groups, with commas between them; all others are not theirs.",
)  # fmt: skip
LOGS: Option[bool | None] = Option(
    "logs", BOOLEAN, None, sample="false", since="Proctor 0.1",
    text="Whether they may read what programs write; without it, all but the role view may.",
)  # fmt: skip
EXPIRES: Option[float | None] = Option(
    "expires", MOMENT, None, sample="2030-01-31", since="Proctor 0.1",
    text="Day, or day and time (2030-01-31T12:00), in UTC, from which on it is no longer taken.",
)  # fmt: skip

USER_SECTION = SectionType(
    "user:",
    (USER_PASSWORD, PASSWORD_HASH, ROLE_OPTION, GROUPS, LOGS),
    text="Somebody who may log in.  With one such section, every TCP server asks for a login.",
    example="alice",
)
API_TOKEN = SectionType(
    "api_token:",
    (TOKEN, ROLE_OPTION, GROUPS, LOGS, EXPIRES),
    text="A machine that may log in, by the header `Authorization: Bearer <token>`.",
    example="ci",
)
