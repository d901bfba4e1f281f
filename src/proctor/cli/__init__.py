"""supervisorctl and proctor: from the words of a command line to lines of output and an exit code.

Other processes come in by the front door: this folder asks the daemon through `client` and knows
nothing of its insides.  What a one-shot command does not need is imported where it is needed.
"""
