"""What a child is to be, as the daemon ordered it."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Order:
    """A child to be made; the fields mean what core/plan.SpawnPlan says.

    Built from a message as it is.
    """

    __slots__ = (
        "argv",
        "directory",
        "environment",
        "filename",
        "gid",
        "groups",
        "key",
        "no_new_privs",
        "note",
        "redirect_stderr",
        "tree",
        "uid",
        "umask",
    )  # fmt: skip

    def __init__(
        self,
        *,
        key: str,
        filename: str,
        argv: Iterable[str],
        environment: Iterable[tuple[str, str]] = (),
        directory: str | None = None,
        umask: int | None = None,
        uid: int | None = None,
        gid: int | None = None,
        groups: Iterable[int] = (),
        redirect_stderr: bool = False,
        no_new_privs: bool = False,
        note: str = "",
        tree: str = "",
    ) -> None:
        self.key = key
        self.filename = filename
        self.argv = tuple(argv)
        self.environment = tuple(environment)
        self.directory = directory
        self.umask = umask
        self.uid = uid
        self.gid = gid
        self.groups = tuple(groups)
        self.redirect_stderr = redirect_stderr
        self.no_new_privs = no_new_privs
        self.note = note
        self.tree = tree

    @property
    def needs_another_user(self) -> bool:
        """Whether the child must run as somebody else.

        Being asked for our own user changes nothing.
        """
        return self.uid is not None and self.uid != os.geteuid()

    def environment_over(self, base: dict[bytes, bytes]) -> dict[bytes, bytes]:
        """The whole environment.

        Raises ValueError for text that cannot be handed to the system.
        """
        added = {os.fsencode(name): os.fsencode(value) for name, value in self.environment}
        return {**base, **added}
