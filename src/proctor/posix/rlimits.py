"""Resource limits of the daemon: enough descriptors and processes for all it supervises.

Source: compat config.md, section 12.
"""

from __future__ import annotations

import resource

from proctor.core.values import dataclass


class LimitError(Exception):
    """A limit is too low and cannot be raised; the daemon must not start."""


@dataclass(frozen=True, slots=True)
class Minimum:
    """What the daemon needs at least, and how to say that it cannot have it."""

    name: str
    resource: int
    amount: int
    complaint: str


def minimums(minfds: int, minprocs: int) -> tuple[Minimum, ...]:
    """The two limits that [supervisord] names."""
    return (
        Minimum(
            "RLIMIT_NOFILE",
            resource.RLIMIT_NOFILE,
            minfds,
            "The minimum number of file descriptors required to run this process is"
            f' {minfds} as per the "minfds" command-line argument or config file setting.',
        ),
        Minimum(
            "RLIMIT_NPROC",
            resource.RLIMIT_NPROC,
            minprocs,
            "The minimum number of available processes required to run this program is"
            f' {minprocs} as per the "minprocs" command-line argument or config file setting.',
        ),
    )


def raise_limit(minimum: Minimum) -> str | None:
    """Raise one soft limit where it is below its minimum, the hard one too where root may.

    Answers with the line for the log when something was raised.  Raises LimitError.
    """
    soft, hard = resource.getrlimit(minimum.resource)
    if soft == resource.RLIM_INFINITY or soft >= minimum.amount:
        return None
    enough = hard == resource.RLIM_INFINITY or hard >= minimum.amount
    try:
        resource.setrlimit(minimum.resource, (minimum.amount, hard if enough else minimum.amount))
    except (ValueError, OSError):
        raise LimitError(
            f"{minimum.complaint}  The current environment allows {hard};"
            " raise the limit of the user that starts the daemon, or lower the setting."
        ) from None
    return f"Increased {minimum.name} limit to {minimum.amount}"


def open_all_descriptors() -> tuple[int, int]:
    """Raise our own soft limit of descriptors to the hard one: each program costs us three.

    Answers with the limits as they were, which are those that children are to have.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return soft, hard


def limit_descriptors(limits: tuple[int, int]) -> None:
    """Put back what `open_all_descriptors` found, for the next program in this process."""
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
