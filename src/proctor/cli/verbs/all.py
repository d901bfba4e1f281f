"""Every action of supervisorctl by its name."""

from __future__ import annotations

from proctor.cli.verbs import apply, configure, control, foreground, logs, status, system

VERBS = {
    verb.name: verb
    for module in (status, control, configure, apply, logs, foreground, system)
    for verb in module.VERBS
}
