"""How a process is stopped: the original's two flags, and kill_mode over both.

kill_mode says how far a stop reaches; the flags may only narrow the stop signal: with
`stopasgroup=false` the process alone is asked to end, and what is left of it afterwards.
"""

from __future__ import annotations

from proctor.config.options import program_stop as rows
from proctor.config.reader import Reader
from proctor.config.table import Option
from proctor.core.spec import StopPolicy


def stop_policy(reader: Reader) -> StopPolicy:
    """The policy of a section.  Contradictions are added to its mistakes."""
    read = reader.get
    stopsignal, stopwaitsecs = read(rows.STOPSIGNAL), read(rows.STOPWAITSECS)
    warn_if_negative(
        reader, rows.STOPWAITSECS, stopwaitsecs, "SIGKILL follows the stop signal at once"
    )
    stop_group, kill_group = read(rows.STOPASGROUP), read(rows.KILLASGROUP)
    mode = read(rows.KILL_MODE_NAME)
    if mode is None:
        kill_group = stop_group if kill_group is None else kill_group
        return StopPolicy(stopsignal, stopwaitsecs, stop_group, kill_group)
    further = mode != "process"
    _refuse(reader, mode, "killasgroup", kill_group not in (None, further))
    _refuse(reader, mode, "stopasgroup", stop_group and not further)
    if not reader.has(rows.STOPASGROUP):
        stop_group = further
    return StopPolicy(stopsignal, stopwaitsecs, stop_group, further, mode == "tree")


def warn_if_negative(reader: Reader, option: Option[int], value: int, consequence: str) -> None:
    """Say what a number below 0 leads to, here as in the original."""
    if value < 0:
        said = f"[{reader.section.name}] {option.name}={value} is below 0: {consequence}"
        reader.warn(said, option.name)


def _refuse(reader: Reader, mode: str, flag: str, contradicts: bool) -> None:
    if contradicts:
        text = f"Cannot set kill_mode={mode} and {flag}={reader.section.options[flag].text}"
        reader.fail(text, flag, hint=f"leave {flag} out")
