"""The edge: the only room that knows HTTP, status codes and the clients' dialects.

Hot routes are plain ASGI endpoints in front of the FastAPI app, which describes them and serves
everything else.
"""
