"""The hands: every system call we make, and the thread that moves what children write.

One rule: nothing here decides; what is to happen comes in as arguments.  It does not know the
configuration, and nobody below it knows it.
"""
