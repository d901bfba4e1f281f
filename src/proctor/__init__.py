"""Proctor keeps processes alive: a drop-in for Supervisor 4.3 that loses nothing.

The storeys below are listed in docs/architecture.md; a file imports only from storeys below its
own. This package re-exports nothing, so that an import line always names the file where a thing
lives.
"""
