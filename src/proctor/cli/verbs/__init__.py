"""The actions of supervisorctl, by theme.  `all` lists them.

Every function takes the controller and the rest of the line.  Lines and exit codes are those of
compat supervisorctl.md, section 4; help texts are our own.
"""
