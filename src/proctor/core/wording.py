"""Words of answers that programs look for, too.  Loaded by one-shot clients: imports nothing."""

# In the description of a process, before the names of who could not be ended with it.
LEFT_RUNNING = "left running: "
