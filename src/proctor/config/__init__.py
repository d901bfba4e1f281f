"""Text to specs: reads Supervisor's configuration files and says what they mean, or what is wrong.

One rule: the machine is asked only through the World that is passed in, and reading never changes
anything.  Opening logs, binding sockets and starting programs belong to other storeys.
"""
