"""Output: where the stdout and stderr of one process go, over all its runs.

1. The log files of a run are opened (in the drain thread: an open may block) before the child is
   spawned, and closed with its pipes.
2. The end of a child is announced only after `finish`: its last words are in the log first.
3. Bytes are looked at only if somebody must: capture mode, events, strip_ansi, a debug log, a
   listener's protocol.  Otherwise they never enter our memory.
4. Many messages that were read at once do not keep event listeners waiting: what these answer is
   heard in between, for SLICE seconds at most.

Source: compat logging.md, sections 2, 5, 6, 7.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from proctor.core.capture import Capture, Message, Piece, Text
from proctor.core.events import ProcessCommunicated, ProcessLogged
from proctor.core.plan import ChildPipes
from proctor.core.spec import LogKind, OutputPolicy, ProcessKind, ProcessSpec
from proctor.daemon import words
from proctor.daemon.activity_log import Level
from proctor.daemon.opening import Opened, Opening, close_sinks
from proctor.daemon.surroundings import Channel, Deliver, Surroundings
from proctor.daemon.volume import Volume, added
from proctor.posix.conversation import SLICE
from proctor.posix.logmarks import Mark
from proctor.posix.sinks import Sink, SyslogSink, aliased_fd, open_sink

CHANNELS = ("stdout", "stderr")

_DEBUG = Level.DEBUG

# What our lines in syslog begin with: the name of the program that writes them.
IDENT = "supervisord"

# So many pieces of a read are told before listeners are heard again.
_AT_ONCE = 2

_NOTHING = Opened({}, {})
_NO_CHANNELS: Mapping[str, Channel] = {}
_NO_VOLUMES: Mapping[str, Volume] = {}

Listener = Callable[[bytes], None]


class Output:
    """Both streams of one process.  `paths` are the log files by channel, None where there is none.

    `listeners` hear the text of a channel, from the next spawn on; not what grandchildren write
    after the child has ended.
    """

    def __init__(
        self, spec: ProcessSpec, paths: Mapping[str, str | None], around: Surroundings
    ) -> None:
        self.listeners: dict[str, Listener] = {}
        # Where in the log files the present or the last run begins, by channel.
        self.marks: Mapping[str, Mark] = {}
        self._spec = spec
        self._stdout = spec.stdout
        if spec.kind is ProcessKind.LISTENER:
            # What it says there is for its pool (gotcha G71).
            self._stdout = replace(
                spec.stdout, capture_maxbytes=0, events_enabled=False, syslog=False
            )
        self._paths = paths
        self._around = around
        self._opening: Opening | None = None
        self._opened = _NOTHING  # No child writes to them yet.
        self._decoders: list[Capture] = []
        self._channels: dict[str, Channel] = {}
        # Those whose counts are not in `_passed` yet, also while they end.
        self._counted: Mapping[str, Channel] = _NO_CHANNELS
        self._passed: Mapping[str, Volume] = _NO_VOLUMES
        self._pid = 0

    def auto_logs(self) -> dict[str, str]:
        """The log files that we named, by channel: another daemon has to find them again."""
        auto = {
            name: self._paths[name] for name in CHANNELS if self._policy(name).kind is LogKind.AUTO
        }
        return {name: path for name, path in auto.items() if path is not None}

    def volumes(self) -> Mapping[str, Volume]:
        """What came out of each stream since the daemon began, but for late words of grandchildren;
        nothing of a process that never ran."""
        return added(self._passed, self._counted)

    def prepare(self) -> None:
        """Begin to open the log files of the next run, which `open` is soon to be asked for."""
        if self._opening is None:
            wanted = [name for name in CHANNELS if self._has_sinks(name)]
            self._opening = Opening(self._around.drain, wanted, self._open_sinks)

    def open(self, done: Callable[[OSError | None], None]) -> None:
        """Open the log files of the next run; `done` hears what went wrong, if anything."""
        self._opened = _NOTHING
        self.prepare()
        assert self._opening is not None, "it was begun a line ago"
        opening, self._opening = self._opening, None

        def heard(result: Opened | OSError) -> None:
            if isinstance(result, OSError):
                done(result)
            else:
                self._opened, self.marks = result, result.marks
                done(None)

        opening.tell(heard)

    def abandon(self) -> None:
        """There will be no child: close what was opened for it."""
        opened, self._opened = self._opened, _NOTHING
        close_sinks(self._around.drain, opened)
        if self._opening is not None:
            self._opening.abandon()
            self._opening = None

    def attach(self, pid: int, pipes: ChildPipes) -> None:
        """Read the pipes of a new child."""
        sinks = self._opened.sinks
        self._opened, self._decoders = _NOTHING, []
        self._pid = pid
        fds = {"stdout": pipes.stdout, "stderr": pipes.stderr}
        self._channels = {
            name: self._watch(name, pid, fd, sinks.get(name, []))
            for name, fd in fds.items()
            if fd is not None
        }
        self._counted = self._channels

    def copy(self, done: Callable[[dict[str, int]], None]) -> None:
        """Call `done` with copies of the pipes that are open, by channel."""
        copies: dict[str, int] = {}
        left = len(self._channels)

        def copied(name: str, fd: int | None) -> None:
            nonlocal left
            left -= 1
            if fd is not None:
                copies[name] = fd
            if left == 0:
                done(copies)

        for name, channel in self._channels.items():
            channel.copy(partial(copied, name))
        if not self._channels:
            done(copies)

    def finish(self, done: Callable[[], None]) -> None:
        """Call `done` when all that the dead child wrote is in the logs."""
        # What ended with the process is in the log already, most of the time.
        channels = [channel for channel in self._channels.values() if not channel.is_over]
        self._channels = {}
        left = len(channels)

        def finished() -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                self._pid = 0
                self._passed, self._counted = self.volumes(), _NO_CHANNELS
                done()

        for channel in channels:
            channel.finish(finished)
        if not channels:
            finished()

    def let_go(self) -> None:
        """End the conversations; what is drained ends with the drain."""
        for name in self.listeners:
            if name in self._channels:
                self._channels[name].finish(lambda: None)

    def clear(self, done: Callable[[OSError | None], None]) -> None:
        """Empty the log files, also those of a process that does not run (gotcha G58)."""

        channels, decoders = self._channels, self._decoders

        def work() -> None:
            for decoder in decoders:
                decoder.clear()
            for name in CHANNELS:
                self._clear(name, channels.get(name))

        self._around.drain.call(work, done)

    def reopen(self, done: Callable[[OSError | None], None]) -> None:
        """Open the log files anew by their names, after somebody moved them away."""

        def work() -> None:
            for channel in channels:
                for sink in channel.open_sinks():
                    sink.reopen()

        channels = list(self._channels.values())
        if channels:
            self._around.drain.call(work, done)

    def _policy(self, name: str) -> OutputPolicy:
        return self._stdout if name == "stdout" else self._spec.stderr

    # Who looks at the bytes

    def _watch(self, name: str, pid: int, fd: int, sinks: Sequence[Sink]) -> Channel:
        strip = self._around.settings.strip_ansi
        dialogue = self._around.dialogue
        if (
            dialogue
            and name in self.listeners
            and not (strip or self._policy(name).capture_maxbytes)
        ):
            return dialogue.converse(fd, sinks, partial(self._heard_answer, name, pid))
        deliver = self._listener(name, pid)
        if deliver is None and not strip:
            return self._around.drain.watch(fd, sinks)
        decoder = Capture(self._policy(name).capture_maxbytes, strip)
        self._decoders.append(decoder)
        return self._around.drain.watch(fd, sinks, decoder, deliver)

    def _listener(self, name: str, pid: int) -> Deliver | None:
        """Who gets the pieces of a stream; None when nobody needs to look at it."""
        policy = self._policy(name)
        debug = self._around.log.wants(_DEBUG)
        if not (
            policy.events_enabled or policy.capture_maxbytes or debug or name in self.listeners
        ):
            return None
        return partial(self._heard, name, pid)

    def _heard(self, name: str, pid: int, pieces: Sequence[Piece]) -> None:
        dialogue, now = self._around.dialogue, self._around.host.now
        end = now() + SLICE
        for number, piece in enumerate(pieces, 1):
            match piece:
                case Message(data):
                    self._heard_message(name, pid, data)
                case Text(data):
                    self._heard_text(name, pid, data)
            # A listener works on the first of many messages while we make the others.
            if dialogue is not None and number % _AT_ONCE == 0 and now() < end:
                dialogue.catch_up()

    def _heard_message(self, name: str, pid: int, data: bytes) -> None:
        spec = self._spec
        if self._around.log.wants(_DEBUG):
            self._around.log.debug(f"'{spec.name}' {name} emitted a comm event")
        self._around.bus.publish(ProcessCommunicated(spec.name, spec.group, pid, name, data))

    def _heard_text(self, name: str, pid: int, data: bytes) -> None:
        spec = self._spec
        if self._around.log.wants(_DEBUG):
            self._around.log.debug(words.output(spec.name, name, data))
        if self._policy(name).events_enabled:
            self._around.bus.publish(ProcessLogged(spec.name, spec.group, pid, name, data))
        if name in self.listeners and pid == self._pid:
            try:
                self.listeners[name](data)
            except Exception as error:  # its bug must not cost the rest of what was read
                self._around.log.critical(f"cannot hear '{spec.name}': {error!r}")

    def _heard_answer(self, name: str, pid: int, data: bytes) -> None:
        """From a conversation: nobody but its partner needs it."""
        if self._around.log.wants(_DEBUG):
            self._around.log.debug(words.output(self._spec.name, name, data))
        if pid == self._pid:
            self.listeners[name](data)

    # Opening and clearing

    def _has_sinks(self, name: str) -> bool:
        if name == "stderr" and self._spec.redirect_stderr:
            return False
        return self._paths[name] is not None or self._policy(name).syslog

    # In the drain thread

    def _open_sinks(self, name: str) -> Iterator[Sink]:
        policy, path = self._policy(name), self._paths[name]
        if path is not None:
            yield open_sink(path, policy.maxbytes, policy.backups, self._mode(name))
        if policy.syslog:
            yield SyslogSink(IDENT, self._spec.name)

    def _mode(self, name: str) -> int:
        return 0o600 if self._policy(name).kind is LogKind.AUTO else 0o666

    def _clear(self, name: str, channel: Channel | None) -> None:
        opened = channel.open_sinks() if channel else ()
        for sink in opened:
            sink.clear()
        path = self._paths[name]
        if not opened and path and aliased_fd(path) is None and os.path.isfile(path):
            os.truncate(path, 0)
