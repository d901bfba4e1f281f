"""The roots: a small process of its own, the parent of every program and of the daemon.

It spawns, waits, and holds descriptors and exit statuses until the daemon has written them down,
so that the daemon may die or be replaced at any moment.  One rule: it knows nobody.  It imports
nothing else of proctor, only a handful of light standard modules, and it never reads a
configuration.
"""
