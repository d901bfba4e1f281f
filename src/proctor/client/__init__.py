"""Asking a daemon from another process: HTTP over a unix or TCP socket, XML-RPC on top of it.

Made for programs that start, ask one question and end: nothing here loads asyncio, ssl,
http.client, xmlrpc.client, typing or dataclasses (`transport` does, for plug-ins only).
"""
