"""Every action of supervisorctl by its name."""

from __future__ import annotations

from proctor.cli.verbs import apply, configure, control, foreground, inspect, logs, status, system

VERBS = {
    verb.name: verb
    for module in (status, control, configure, apply, logs, inspect, foreground, system)
    for verb in module.VERBS
}
