"""Text completions as upstreams that continue texts are asked for them, and as they answer.

No chat is translated into this dialect: what comes this way was asked in it.
"""
