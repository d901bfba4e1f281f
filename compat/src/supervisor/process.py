"""Processes and groups as plug-ins see them; the daemon makes them, nobody else."""

from __future__ import annotations

from supervisor.absent import absent
from supervisor.facade import ProcessGroup, Subprocess
from supervisor.states import ProcessStates, getProcessStateDescription

__all__ = ["ProcessGroup", "ProcessStates", "Subprocess", "getProcessStateDescription"]
__getattr__ = absent(__name__)
