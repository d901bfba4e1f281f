"""The heart: one loop, one queue.  Hears facts, lets `core` decide, carries the effects out.

One rule: no await inside a step, and nobody recurses; effects go to the end of one queue.  What
blocks belongs to the drain thread, to a worker or to another process.
"""
