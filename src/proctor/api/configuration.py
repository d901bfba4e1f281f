"""The configuration: read it anew, add and remove groups, show what is configured.

Reading never stops anything; a file with mistakes is refused whole.  Source: compat config.md,
section 16; xmlrpc.md, sections 6 and 9; gotcha G9.
"""

from __future__ import annotations

from proctor.api.access import caller
from proctor.api.plans import FROM_REREAD, taken_over
from proctor.api.room import Room
from proctor.api.views import config_info
from proctor.config.diff import diff
from proctor.config.load import Configuration
from proctor.config.problems import ConfigError, Problem
from proctor.core.cause import CauseKind, because
from proctor.core.faults import Fault, FaultCode
from proctor.core.spec import GroupSpec


class ConfigurationRoom(Room):
    """Everything that can be done with the configuration."""

    async def reload_config(self) -> tuple[list[str], list[str], list[str]]:
        """Read the files anew; answers with the names of groups: added, changed, removed.

        Compared is with what is active; nothing is applied.  Raises CANT_REREAD with the reason,
        and the old configuration stays.
        """
        self._require_running()
        new = await self._reread()
        self._take_over(new)
        active = tuple(group.spec for group in self.supervisor.groups.values())
        found = diff(active, new.groups)
        return _names(found.added), _names(found.changed), _names(found.removed)

    async def add_process_group(self, name: str) -> bool:
        """Make a group of the configuration active.  Raises ALREADY_ADDED, BAD_NAME."""
        self._require_running()
        group = self.supervisor.add_group(self._configured(name))
        with because(CauseKind.UPDATE):
            self.supervisor.autostart(group)
        return True

    async def remove_process_group(self, name: str) -> bool:
        """Forget a group whose processes are all stopped.  Raises STILL_RUNNING, BAD_NAME."""
        self._require_running()
        self._group(name)
        self.supervisor.remove_group(name)
        return True

    async def get_all_config_info(self) -> list[dict[str, object]]:
        """Every configured process, active or not, by process name."""
        self._require_running()
        who = caller()
        infos = [
            config_info(group, spec, self.supervisor.groups.get(group.name))
            for group in self.context.configuration.value.groups
            if who.covers(group.name)
            for spec in group.processes
        ]
        return sorted(infos, key=lambda info: str(info["name"]))

    async def get_file_warnings(self) -> list[str]:
        """What is doubtful in the files as they were read last, such as an unknown option."""
        self._require_running()
        return [note.line() for note in self.context.configuration.value.notes if _warns(note)]

    def _configured(self, name: str) -> GroupSpec:
        for spec in self.context.configuration.value.groups:
            if spec.name == name:
                return spec
        raise Fault.bad_name(name)

    def _take_over(self, new: Configuration) -> None:
        """From now on this is what is configured; what is active stays as it is."""
        self._warn_about(new)
        self.context.configuration.value = new
        supervisor = self.supervisor
        supervisor.settings = taken_over(FROM_REREAD, supervisor.settings, new.daemon)

    def _warn_about(self, new: Configuration) -> None:
        """Say what is doubtful in the files, unless it was said before (gotcha G45)."""
        said = self.context.configuration.value.notes
        for note in new.notes:
            if _warns(note) and note not in said:
                self.supervisor.log.warn(note.line())

    async def _reread(self) -> Configuration:
        try:
            return await self._in_worker(self.context.reread)
        except ConfigError as error:
            raise Fault(FaultCode.CANT_REREAD, str(error)) from error


def _warns(note: Problem) -> bool:
    return note.level == "warn"


def _names(groups: tuple[GroupSpec, ...]) -> list[str]:
    who = caller()
    return [group.name for group in groups if who.covers(group.name)]
