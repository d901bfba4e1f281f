"""The example that `proctor demo` runs: a configuration and small programs, copied as they are.

Nothing here is imported; the programs need only the standard library.
"""
