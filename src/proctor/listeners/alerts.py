"""alerts: tells people, by whatever channel, that a program is in trouble, and that it is over.

1. An event is acknowledged when what follows from it is on disk; nothing else is done meanwhile,
   so the daemon never waits for a network.
2. One thread asks the daemon and makes messages; one thread for each channel delivers, so that a
   channel which stalls holds up no other.  If one of them breaks, all of us ends: supervisord
   starts it again, and what is on disk goes on from there.
3. Nothing wakes up while there is nothing to do.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import threading
import time
from dataclasses import replace
from functools import partial

from proctor.config.problems import ConfigError
from proctor.config.world import RealWorld
from proctor.listeners import alert_facts
from proctor.listeners.alert_channels import Channel
from proctor.listeners.alert_config import AlertRule, Settings, add_flags, load
from proctor.listeners.alert_queue import Message, Queue
from proctor.listeners.alert_rules import Watch
from proctor.listeners.alert_terms import Kind, Notice
from proctor.listeners.alert_texts import compose
from proctor.listeners.loop import Event, is_supervised, listen, say

_LONGEST_PAUSE = 900.0
# Seconds without an event after which those that come are new.
_SILENCE = 0.5
# For each channel: how many messages wait, and for how many seconds.
_KEEP = 1000
_EXPIRE = 86400.0


class Desk:
    """Hears events, and turns what is due into messages in the queue."""

    def __init__(self, settings: Settings, queue: Queue) -> None:
        self._rules = {each.rule.name: each for each in settings.rules}
        self._queue = queue
        saved = queue.state()
        rules = [each.rule for each in settings.rules]
        try:
            self._watch = Watch(rules, settings.patience, saved)
            self._next = int(saved["next"]) if saved else queue.next_number
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            say(f"cannot understand what was saved ({error!r}); starting afresh")
            self._watch, self._next = Watch(rules, settings.patience), queue.next_number
        self._changed = threading.Condition()
        self._late = True
        self._idle_since: float | None = None

    def handle(self, event: Event) -> None:
        """Take an event in; when this returns, it may be forgotten elsewhere."""
        with self._changed:
            # What happened while we began was kept for us, our own start among it.  It comes when
            # we count as running, and has come when it is silent after that.
            if self._idle_since is not None and self._late:
                self._late = time.monotonic() - self._idle_since < _SILENCE
            if self._watch.heard(event, time.time(), late=self._late):
                self._save()
                self._changed.notify()
            self._idle_since = time.monotonic()

    def work(self) -> None:
        """For ever: ask about what is new, post what is due."""
        self._look_around()
        while True:
            # Shared by all, so that a daemon which is stuck delays the messages only once.
            patience = time.monotonic() + alert_facts.PATIENCE
            for notice in self._unasked():
                lines = self._rules[notice.rule].style.lines
                facts = alert_facts.ask(notice, lines, patience - time.monotonic())
                with self._changed:
                    notice.facts = facts
                    self._save()
            with self._changed:
                if self._watch.unasked():
                    continue
                for rule, notices in self._watch.due(time.time()):
                    self._post(self._rules[rule.name], notices)
                self._save()
                now = time.time()
                deadline = self._watch.deadline(now)
                self._changed.wait(None if deadline is None else max(0.0, deadline - now))

    def _look_around(self) -> None:
        """What may have happened while nobody listened."""
        for process, state, start in alert_facts.processes():
            with self._changed:
                if state == "RUNNING":
                    self._watch.found_running(process, start, time.time())
                elif state == "STARTING":
                    self._watch.found_started(process, start)
                elif state == "FATAL":
                    self._watch.found_fatal(process, time.time())

    def _unasked(self) -> list[Notice]:
        with self._changed:
            return self._watch.unasked()

    def _post(self, rule: AlertRule, notices: list[Notice]) -> None:
        title, text = compose(rule.style, notices, socket.gethostname())
        good = all(notice.kind == Kind.RECOVERED for notice in notices)
        names = tuple(dict.fromkeys(notice.process for notice in notices))
        for channel in rule.channels:
            self._queue.put(Message(self._next, channel.key, title, text, time.time(), good, names))
        self._next += 1

    def _save(self) -> None:
        self._queue.save({**self._watch.as_data(), "next": self._next})


def deliver(queue: Queue, channel: Channel, settings: Settings, missing: str) -> None:
    """For ever: the oldest message of a channel, again and again until it is out."""
    pause = settings.retry
    while True:
        message, dropped = queue.wait(channel.key)
        if time.time() - message.when > _EXPIRE:
            queue.drop(message, f"{channel.shown} did not take it in {_EXPIRE:g} s")
            continue
        note = f"{missing.format(dropped)}\n\n" if dropped else ""
        trouble = channel.send(replace(message, text=note + message.text))
        if not trouble:
            queue.done(message)
            pause = settings.retry
            continue
        say(f"cannot send {message.title!r} by {channel.shown}, again in {pause:g} s: {trouble}")
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _test(settings: Settings) -> int:
    """Send a message to every channel; 1 when one of them failed."""
    host, failed = socket.gethostname(), 0
    for rule in settings.rules:
        words = rule.style.words
        title, text = words["test_title"].format(host=host), words["test_text"].format(host=host)
        for channel in rule.channels:
            trouble = channel.send(Message(0, channel.key, title, text, time.time(), good=True))
            failed += bool(trouble)
            print(f"[{rule.rule.name}] {channel.shown}: {trouble or 'sent'}")
    return 1 if failed else 0


def _run(settings: Settings) -> int:
    try:
        queue = Queue(settings.queue, _KEEP, say)
    except BlockingIOError:
        say(f"cannot use {settings.queue}: another alerts is using it; give this one its own queue")
        return 2
    except OSError as error:
        say(f"cannot use {settings.queue}: {error.strerror}; choose another place by queue")
        return 2
    queue.discard_all_but(set(settings.channels))
    threading.excepthook = _end_all
    desk = Desk(settings, queue)
    missing = {}
    for rule in settings.rules:
        for channel in rule.channels:
            missing[channel.key] = rule.style.words["missing"]
    jobs = [desk.work]
    for key, channel in settings.channels.items():
        jobs.append(partial(deliver, queue, channel, settings, missing[key]))
    for job in jobs:
        threading.Thread(target=job, daemon=True).start()
    listen(desk.handle)


def _end_all(trouble: threading.ExceptHookArgs) -> None:
    sys.excepthook(trouble.exc_type, trouble.exc_value or trouble.exc_type(), trouble.exc_traceback)
    os._exit(70)


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program,
        allow_abbrev=False,
        description="An event listener for supervisord that sends messages when programs are in "
        "trouble.  Subscribe it to PROCESS_STATE,PROCESS_GROUP,REMOTE_COMMUNICATION.",
    )
    parser.add_argument("-c", "--config", metavar="FILE", help="file with a section [alerts]")
    parser.add_argument("--test", action="store_true", help="send a test message now, and end")
    parser.add_argument("--check", action="store_true", help="look for mistakes, and end")
    add_flags(parser)
    return parser


def main(argv: list[str] | None = None) -> int:
    """The command; its exit status is 2 for wrong usage or configuration."""
    program, *words = sys.argv if argv is None else argv
    chosen = _parser(program).parse_args(words)
    try:
        settings = load(chosen.config, chosen, RealWorld())
    except ConfigError as error:
        for problem in error.problems:
            say(f"alerts: {problem.render()}")
        return 2
    if chosen.check:
        print(f"{chosen.config}: no mistakes" if chosen.config else "no mistakes")
        return 0
    if chosen.test:
        return _test(settings)
    # Without a server of its own a supervisord cannot be asked, but it does tell.
    if not is_supervised() and "SUPERVISOR_ENABLED" not in os.environ:
        say("alerts must be run by supervisord, as an [eventlistener:x]; or try --test")
        return 2
    return _run(settings)


if __name__ == "__main__":
    sys.exit(main())
