"""What else the daemon minds: each duty hears the bus and asks the Supervisor.

One rule: no duty knows another; what two of them share belongs to the heart.  Each duty keeps its
rules (pure, tested with a fake clock) apart from the worker that carries them out.
"""
