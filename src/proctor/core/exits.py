"""How a process ended, in numbers and in the words people grep for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from proctor.core.values import dataclass

_SIGNAL_NAMES = {
    1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS",
    8: "SIGFPE", 9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE",
    14: "SIGALRM", 15: "SIGTERM", 16: "SIGSTKFLT", 17: "SIGCHLD", 18: "SIGCONT", 19: "SIGSTOP",
    20: "SIGTSTP", 21: "SIGTTIN", 22: "SIGTTOU", 23: "SIGURG", 24: "SIGXCPU", 25: "SIGXFSZ",
    26: "SIGVTALRM", 27: "SIGPROF", 28: "SIGWINCH", 29: "SIGIO", 30: "SIGPWR", 31: "SIGSYS",
}  # fmt: skip


def signal_name(number: int) -> str:
    """`SIGTERM` for 15; `signal 40` for numbers without a name.  Linux numbering."""
    return _SIGNAL_NAMES.get(number, f"signal {number}")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a run took, with all descendants it waited for: seconds of CPU, bytes at its largest.

    `peak` 0: unknown, since it never grew beyond the process that started it.
    """

    user: float
    system: float
    peak: int

    @classmethod
    def from_wait(cls, numbers: Sequence[float]) -> Usage | None:
        """From what the keeper tells: [user, system, peak in KiB]; None when it tells nothing."""
        if len(numbers) != 3:
            return None
        user, system, peak = numbers
        return cls(user, system, int(peak) * 1024)


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """The end of a process: either an exit `code` or a `signal`; neither when nobody could tell.

    `usage` is no part of how it ended: two ends are the same without it.
    """

    code: int | None = None
    signal: int | None = None
    dumped_core: bool = False
    usage: Usage | None = field(default=None, compare=False)

    @classmethod
    def from_wait(cls, status: int, usage: Sequence[float] = ()) -> ExitStatus:
        """From the number waitpid(2) gives, and what `Usage.from_wait` reads; a negative number
        stands for an unknown end.
        """
        if status < 0:
            return cls()
        used = Usage.from_wait(usage)
        if status & 0x7F == 0:
            return cls(code=(status >> 8) & 0xFF, usage=used)
        return cls(signal=status & 0x7F, dumped_core=bool(status & 0x80), usage=used)

    @property
    def number(self) -> int:
        """The exit code; -1 for a death by signal or an unknown end (process.md, section 3)."""
        return -1 if self.code is None else self.code

    def is_expected(self, exitcodes: tuple[int, ...]) -> bool:
        """Whether the program meant to end so.  A death by signal never is."""
        return self.code is not None and self.code in exitcodes

    def __str__(self) -> str:
        if self.code is not None:
            return f"exit status {self.code}"
        if self.signal is None:
            return "exit status unknown"
        dumped = " (core dumped)" if self.dumped_core else ""
        return f"terminated by {signal_name(self.signal)}{dumped}"
