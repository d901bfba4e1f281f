"""Event listener pools: who gets which event, and what the listeners answer.

`protocol.py` and `pool.py` are rules and touch nothing; `dispatcher.py` joins them to the heart.
"""
