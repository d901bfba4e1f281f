"""Faces of the daemon: bytes to api calls and back.

`server.py` speaks HTTP and knows no program; `app.py` is an ASGI application that checks who asks
and from where, and hands on to XML-RPC, pages and log streams.  Rule: whatever changes or tells a
process goes through the Service of `api`; nothing here touches the heart.
"""
