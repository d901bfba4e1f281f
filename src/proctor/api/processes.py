"""Start, stop, signal, feed and look at processes: one, a group, or all.

`name` is `group:process`, `process`, or `group:*`; where a group is allowed, its answer is a list
of results instead of True.  Faults and their order of checks were compared with the original
(compat xmlrpc.md, sections 6 and 10).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from signal import Signals

from proctor.api.actions import act_on_each
from proctor.api.room import Room, members
from proctor.api.views import process_info
from proctor.core.faults import Fault, FaultCode
from proctor.core.info import ActionResult, ProcessInfo
from proctor.core.states import (
    RUNNING_STATES,
    SIGNALLABLE_STATES,
    STOPPED_STATES,
    ProcessState,
)
from proctor.daemon import waiters
from proctor.daemon.host import Timer
from proctor.daemon.process import Process

_STOP_REPORT_INTERVAL = 2.0


class Processes(Room):
    """Everything that can be done with processes."""

    # Look

    async def get_process_info(self, name: str) -> ProcessInfo:
        """One process.  Raises BAD_NAME, also for `group:*`."""
        self._require_running()
        return process_info(self._one(name), self.supervisor.host.wall())

    async def get_all_process_info(self) -> list[ProcessInfo]:
        """Every process, by group and process name."""
        self._require_running()
        now = self.supervisor.host.wall()
        processes = [p for group in self._their_groups() for p in group.processes.values()]
        processes.sort(key=lambda process: (process.group_name, process.name))
        return [process_info(process, now) for process in processes]

    # Start

    async def start_process(self, name: str, wait: bool = True) -> bool | list[ActionResult]:
        """Start it.

        With `wait` True means RUNNING; SPAWN_ERROR tells of the first failed try, although retries
        go on.  Without, True means that there is a child.
        """
        self._require_running()
        group, process = self._find(name)
        if process is None:
            return await self._start_each(members(group), wait)
        self._begin_start(process, name)
        await self._finish_start(process, name, wait)
        return True

    async def start_process_group(self, name: str, wait: bool = True) -> list[ActionResult]:
        """Start all members that are not running, lowest priority first; then wait for all."""
        self._require_running()
        return await self._start_each(members(self._group(name)), wait)

    async def start_all_processes(self, wait: bool = True) -> list[ActionResult]:
        """Start everything that is not running, in order of priority; then wait for all."""
        self._require_running()
        return await self._start_each(self._everything(), wait)

    async def _start_each(self, processes: list[Process], wait: bool) -> list[ActionResult]:
        resting = [process for process in processes if process.state not in RUNNING_STATES]
        return await act_on_each(
            resting,
            self._begin_start,
            lambda process, name: self._finish_start(process, name, wait),
            wait=wait,
        )

    def _begin_start(self, process: Process, name: str) -> None:
        problem = process.command_problem()
        if problem is not None:
            raise problem
        if process.state in RUNNING_STATES:
            raise Fault(FaultCode.ALREADY_STARTED, name)
        if process.state is ProcessState.UNKNOWN:
            raise Fault(FaultCode.FAILED, f"{name} is in an unknown process state")
        if process.state is ProcessState.STOPPING:
            # Nothing is started, and yet it is no refusal: the waiting caller learns how it ended.
            self.supervisor.log.warn(f"process {process.name!r} already running")
            return
        self.supervisor.start(process)

    async def _finish_start(self, process: Process, name: str, wait: bool) -> None:
        if wait:
            state = await waiters.until(process, lambda state: state is not ProcessState.STARTING)
            if state is ProcessState.RUNNING:
                return
            code = FaultCode.SPAWN_ERROR if process.spawnerr else FaultCode.ABNORMAL_TERMINATION
            raise Fault(code, name)
        await waiters.settled(process)
        # A child that was there is a start, also when it has ended before we have looked.
        if process.lifecycle.unspawned:
            raise Fault(FaultCode.SPAWN_ERROR, name)

    # Stop

    async def stop_process(self, name: str, wait: bool = True) -> bool | list[ActionResult]:
        """Stop it.  With `wait` True means that it has ended.  Raises NOT_RUNNING."""
        self._require_running()
        group, process = self._find(name)
        if process is None:
            return await self._stop_each(members(group), wait)
        self._begin_stop(process, name)
        await self._finish_stop(process, name, wait)
        return True

    async def stop_process_group(self, name: str, wait: bool = True) -> list[ActionResult]:
        """Stop all members that are running, highest priority first; then wait for all."""
        self._require_running()
        return await self._stop_each(members(self._group(name)), wait)

    async def stop_all_processes(self, wait: bool = True) -> list[ActionResult]:
        """Stop everything that is running; then wait for all."""
        self._require_running()
        return await self._stop_each(self._everything(), wait)

    async def _stop_each(self, processes: list[Process], wait: bool) -> list[ActionResult]:
        running = [process for process in processes if process.state in RUNNING_STATES]
        return await act_on_each(
            running,
            self._begin_stop,
            lambda process, name: self._finish_stop(process, name, wait),
            wait=wait,
            highest_first=True,
        )

    def _begin_stop(self, process: Process, name: str) -> None:
        if process.state not in RUNNING_STATES:
            raise Fault(FaultCode.NOT_RUNNING, name)
        self.supervisor.stop(process)

    async def _finish_stop(self, process: Process, name: str, wait: bool) -> None:
        if not wait or process.state is ProcessState.STOPPED:
            return
        with self._reporting_stop(process):
            state = await waiters.until(process, STOPPED_STATES.__contains__)
        if state is ProcessState.UNKNOWN:
            raise Fault(FaultCode.FAILED, f"{name} is in an unknown process state")

    @contextmanager
    def _reporting_stop(self, process: Process) -> Iterator[None]:
        """Says in the log, now and then, that somebody waits for this stop."""
        host = self.supervisor.host
        timer: Timer

        def report() -> None:
            nonlocal timer
            self.supervisor.log.info(f"waiting for {process.name} to stop")
            timer = host.call_at(host.now() + _STOP_REPORT_INTERVAL, report)

        report()
        try:
            yield
        finally:
            timer.cancel()

    # Signal and feed

    async def signal_process(self, name: str, signal: str | int) -> bool | list[ActionResult]:
        """Send a signal, by name or number; the state stays as it is.

        Raises BAD_SIGNAL, NOT_RUNNING.
        """
        self._require_running()
        group, process = self._find(name)
        if process is None:
            return await self._signal_each(members(group), signal)
        self._signal(process, name, signal)
        return True

    async def signal_process_group(self, name: str, signal: str | int) -> list[ActionResult]:
        """Signal all members that have a child; a bad signal is a result of each."""
        self._require_running()
        return await self._signal_each(members(self._group(name)), signal)

    async def signal_all_processes(self, signal: str | int) -> list[ActionResult]:
        """Signal everything that has a child."""
        self._require_running()
        return await self._signal_each(self._everything(), signal)

    async def _signal_each(self, processes: list[Process], signal: str | int) -> list[ActionResult]:
        async def sent(process: Process, name: str) -> None:
            """Nothing is left to wait for."""

        return await act_on_each(
            [process for process in processes if process.state in SIGNALLABLE_STATES],
            lambda process, name: self._signal(process, name, signal),
            sent,
            wait=False,
        )

    def _signal(self, process: Process, name: str, signal: str | int) -> None:
        signum = signal_number(signal)
        if process.state not in SIGNALLABLE_STATES:
            raise Fault(FaultCode.NOT_RUNNING, name)
        self.supervisor.signal(process, signum)

    async def send_process_stdin(self, name: str, chars: str) -> bool:
        """Write text to its stdin, as UTF-8.  Raises NOT_RUNNING, NO_FILE when stdin is closed."""
        self._require_running()
        process = self._one(name)
        if not process.pid or process.state is ProcessState.STOPPING:
            raise Fault(FaultCode.NOT_RUNNING, name)
        try:
            process.write_stdin(chars.encode("utf-8", "surrogateescape"))
        except Fault as fault:
            raise fault if fault.detail else Fault(fault.code, name) from None
        return True


def signal_number(signal: str | int) -> int:
    """A signal by number or name, with or without SIG, in any case; 0 asks whether it is alive.

    Raises BAD_SIGNAL for what has no name on this system (real-time signals between the ends too).
    """
    text = str(int(signal)) if isinstance(signal, int) else str(signal).strip().upper()
    names = {member: int(number) for member, number in Signals.__members__.items()}
    known = {str(number): number for number in (0, *names.values())}
    number = known.get(text, names.get(text, names.get(f"SIG{text}")))
    if number is None:
        raise Fault(FaultCode.BAD_SIGNAL, str(signal))
    return number
