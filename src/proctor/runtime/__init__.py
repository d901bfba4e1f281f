"""The daemon's life: every part is made, joined to the others, run, and taken down again.

1. Only `daemon.py` knows all parts; a part is handed what it needs, and where that is somebody
   above it, a callback.
2. A room holds what belongs together in time: what is made, begun and ended by one rule.
"""
