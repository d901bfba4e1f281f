"""The rules: what a process is, what may happen to it, what it is called.

One rule: nothing here touches the system.  No files, no clock, no loop, no randomness; facts and
`now` come in as arguments, effects and values go out.  Whatever needs a system call belongs to
`posix`.
"""
