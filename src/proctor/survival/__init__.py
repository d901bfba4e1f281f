"""Outliving a crash or an upgrade of the daemon.

One rule: starting is recovering.  A daemon always asks the keeper what it holds; a first start is
the case in which it holds nothing.
"""
