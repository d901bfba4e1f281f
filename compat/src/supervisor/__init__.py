"""Supervisor's import names on top of Proctor.

One rule: nothing is decided here; each module renames what `proctor` does.  `proctor` never imports
this package.
"""
