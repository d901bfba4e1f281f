"""Ready-made event listeners: six commands that superlance users know, and what they share.

Each runs as a process of its own under any supervisord: events come in on standard input,
everything else through `proctor.client`.  Nothing here may import the daemon.  Source: compat
superlance.md; S1 to S12 are its table of defects, which are not repeated here.
"""
