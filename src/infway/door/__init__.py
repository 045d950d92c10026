"""The door: what stands between the sockets of callers and the HTTP parser of the server."""
