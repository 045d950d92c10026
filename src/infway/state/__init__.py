"""What replicas share, behind small protocols.

Only trades opaque messages: what they mean is the line's business. Nothing here is on the way of
a request, and a store that fails or is silent is never a replica's failure.
"""
