"""The option table: one row for each option of each section, and nothing that uses them.

Parser, command line, sample file and manual are made from these rows.  A new option is a row here,
a field in `core/spec.py` or `core/settings.py`, and the line that uses it.
"""
