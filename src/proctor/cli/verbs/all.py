"""Every action of supervisorctl by its name."""

from __future__ import annotations

from proctor.cli.verbs import (
    apply,
    configure,
    control,
    foreground,
    inspect,
    logs,
    status,
    system,
    upgrade,
)

_MODULES = (status, control, configure, apply, logs, inspect, foreground, system, upgrade)

VERBS = {verb.name: verb for module in _MODULES for verb in module.VERBS}
