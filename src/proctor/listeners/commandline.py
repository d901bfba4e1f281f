"""Command lines of crashmail, httpok and memmon; the batch tools use the plain parser.

1. Wrong usage is answered on standard output, with status 255.
2. Long options may be abbreviated, so the names of ours begin with letters no other option has.
3. What follows the first word that is no option is no option either.

Source: compat superlance.md, sections 1, 2, 4, 5.
"""

from __future__ import annotations

import optparse
from typing import NoReturn

from proctor.listeners.logtail import DEFAULT_BYTES

WRONG_USAGE = 255

_SENDMAIL = "/usr/sbin/sendmail -t -i"
_SIZES = {"kb": 1024, "mb": 1024**2, "gb": 1024**3}
_TIMES = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class _Option(optparse.Option):
    """Knows three kinds of value more: `size` (bytes), `named_size` (a pair), `time` (seconds)."""

    TYPES = (*optparse.Option.TYPES, "size", "named_size", "time")


class Parser(optparse.OptionParser):
    """A parser that knows what the commands share."""

    def __init__(self, program: str, purpose: str, argument: str = "") -> None:
        usage = f"%prog [options] {argument}".rstrip()
        super().__init__(prog=program, usage=usage, description=purpose, option_class=_Option)
        self.disable_interspersed_args()

    def switch(self, names: str, into: str, text: str) -> None:
        """An option without a value; `names` is `-a --any`."""
        self.add_option(*names.split(), action="store_true", dest=into, default=False, help=text)

    def single(
        self,
        names: str,
        into: str,
        metavar: str,
        text: str,
        *,
        default: object = None,
        kind: str = "string",
        action: str = "store",
    ) -> None:
        """An option with a value; the last one counts."""
        add = self.add_option
        words = names.split()
        add(
            *words, dest=into, metavar=metavar, help=text, default=default, type=kind, action=action
        )

    def several(
        self, names: str, into: str, metavar: str, text: str, *, kind: str = "string"
    ) -> None:
        """An option with a value that may be repeated; all count."""
        text += "; may be repeated"
        self.single(names, into, metavar, text, default=[], kind=kind, action="append")

    def mail_options(self) -> None:
        """Whom to mail, by which command, with how much of the logs."""
        how = f"shell command that reads a mail and sends it ({_SENDMAIL})"
        self.single("-s --sendmail_program", "sendmail", "COMMAND", how, default=_SENDMAIL)
        self.single("-m --email", "email", "ADDRESS", "who gets the mail; without it none is sent")
        add_log_tail(self, DEFAULT_BYTES)

    def error(self, msg: str) -> NoReturn:
        """End with what is wrong and the usage."""
        print(msg)
        self.print_help()
        raise SystemExit(WRONG_USAGE)


def add_log_tail(parser: optparse.OptionParser, default: int) -> None:
    """The option that says how much of the logs a mail contains."""
    parser.add_option(
        "--log-tail",
        type="int",
        dest="tail",
        metavar="BYTES",
        default=default,
        help=f"add the end of the logs of the program concerned ({default}; 0: do not)",
    )


def _multiplied(text: str, suffixes: dict[str, int], trouble: str) -> int:
    """A whole number, times what its suffix stands for."""
    text = text.lower()
    suffix = next((one for one in suffixes if text.endswith(one)), "")
    try:
        return int(text.removesuffix(suffix)) * suffixes.get(suffix, 1)
    except ValueError:
        raise optparse.OptionValueError(trouble) from None


def _size(option: optparse.Option, spelled: str, text: str) -> int:
    return _multiplied(text, _SIZES, f"Unparseable byte_size in {text!r} for {spelled!r}")


def _named_size(option: optparse.Option, spelled: str, text: str) -> tuple[str, int]:
    words = text.split("=")
    if len(words) != 2:
        raise optparse.OptionValueError(f"Unparseable value {text!r} for {spelled!r}")
    return words[0], _size(option, spelled, words[1])


def _time(option: optparse.Option, spelled: str, text: str) -> int:
    return _multiplied(text, _TIMES, f"Unparseable value for time in {text!r} for {spelled}")


_Option.TYPE_CHECKER = {
    **optparse.Option.TYPE_CHECKER,
    "size": _size,
    "named_size": _named_size,
    "time": _time,
}
