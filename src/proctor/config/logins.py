"""[user:x] and [api_token:x] to Logins, and what is doubtful about secrets in the files."""

from __future__ import annotations

from collections.abc import Iterable

from proctor.config.convert import process_or_group_name
from proctor.config.ini import Section, Sections
from proctor.config.options import logins as rows
from proctor.config.options.servers import PASSWORD
from proctor.config.reader import Context, Reader
from proctor.core.caller import Role
from proctor.core.logins import Login, Logins, open_to_network
from proctor.core.passwords import PREFIX, SHA_PREFIX, problem_of
from proctor.core.settings import ServerSettings


def build_logins(sections: Sections, servers: Iterable[ServerSettings], context: Context) -> Logins:
    """Everybody who may log in."""
    users = [_user(section, context) for section in sections.starting_with("user:")]
    tokens = [_token(section, context) for section in sections.starting_with("api_token:")]
    logins = Logins(_known(users), _known(tokens))
    _judge_secrets(sections, logins, servers, context)
    for server in servers:
        section = sections.get(server.section)
        # Without a port there is no server: that is a mistake, told of already.
        known = server.file is not None or server.port > 0
        if section is not None and known and open_to_network(server, logins):
            said = f"[{section.name}] needs no login: whoever can reach port {server.port} can run"
            hint = "set username and password, or listen on 127.0.0.1 only"
            Reader(section, context).warn(f"{said} programs", "port", hint)
    return logins


def _known(found: Iterable[Login | None]) -> tuple[Login, ...]:
    return tuple(login for login in found if login is not None)


def _user(section: Section, context: Context) -> Login | None:
    reader = Reader(section, context)
    password, hashed = reader.get(rows.USER_PASSWORD), reader.get(rows.PASSWORD_HASH)
    if not (reader.has(rows.USER_PASSWORD) or reader.has(rows.PASSWORD_HASH)):
        text = f"section [{section.name}] has no password_hash value"
        reader.fail(text, hint="`proctor hash-password` makes one; or write password=")
    if hashed and password:
        reader.warn(f"[{section.name}] password is ignored beside password_hash", "password")
    return _login(reader, hashed or password)


def _token(section: Section, context: Context) -> Login | None:
    reader = Reader(section, context)
    if not reader.has(rows.TOKEN):
        text = f"section [{section.name}] has no token_hash value"
        reader.fail(text, hint="`proctor hash-password --token` makes a token and its hash")
    return _login(reader, reader.get(rows.TOKEN), reader.get(rows.EXPIRES))


def _login(reader: Reader, secret: str | None, expires: float | None = None) -> Login | None:
    # Before anything else is judged: a mistake here must not hide behind another one.
    role, logs = reader.get(rows.ROLE_OPTION), reader.get(rows.LOGS)
    name = reader.section.name.partition(":")[2].strip()
    try:
        process_or_group_name(name)
    except ValueError as error:
        reader.fail(str(error))
        return None
    if not name:
        reader.fail(f"section [{reader.section.name}] has no name behind the colon")
        return None
    if not secret:
        # One that is missing or no good has been told of.
        if reader.has(rows.USER_PASSWORD) and not reader.has(rows.PASSWORD_HASH):
            reader.fail(f"section [{reader.section.name}] has an empty password", "password")
        return None
    reads_logs = role is not Role.VIEW if logs is None else logs
    return Login(name, secret, role, reads_logs, reader.get(rows.GROUPS), expires)


def _judge_secrets(
    sections: Sections, logins: Logins, servers: Iterable[ServerSettings], context: Context
) -> None:
    """One warning for all secrets that whoever reads the file knows, or soon will."""
    kept = {server.section: server.password for server in servers if server.password}
    kept |= {f"user:{user.name}": user.secret for user in logins.users}
    for name, secret in kept.items():
        if secret.startswith(PREFIX) and problem_of(secret):
            section = sections.get(name)
            if section is not None:
                text = f"[{name}] {PASSWORD.name}: {problem_of(secret)}"
                Reader(section, context).fail(text, PASSWORD.name)
    weak = [name for name, secret in kept.items() if not secret.startswith(PREFIX)]
    if weak:
        how = "as SHA-1" if all(kept[name].startswith(SHA_PREFIX) for name in weak) else "readably"
        listed = ", ".join(f"[{name}]" for name in weak)
        text = f"password kept {how} in {listed}; `proctor hash-password` makes a hash of it"
        context.findings.warn(text)
