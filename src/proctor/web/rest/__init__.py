"""The JSON API under /api/v1, a file for each thing one can ask about.

A handler reads a Call, asks verbs of the Service and answers with a document; what it may be given
and what it answers is in its row of ROUTES.  Rights, faults and bytes are other people's business.
"""
