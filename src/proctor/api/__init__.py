"""The one way to ask: every verb a user has, typed, the same for XML-RPC, pages and tools.

Each room (processes, logs, configuration, system) answers its verbs; `service.py` is all of them
under one name.  Rule: nothing here changes a process by itself; it asks `daemon.supervisor`, waits
through `daemon.waiters`, and refuses with a Fault whose code and text clients depend on.
"""
