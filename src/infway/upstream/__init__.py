"""The only outgoing sockets on the data path, and the only room that sees provider secrets.

It sends what adapters describe, signs it, names what goes wrong on the network, and retries
nothing but a kept-alive connection that died before a byte was sent on it.
"""
