"""A chat request as translating adapters read it: typed messages, tools and wishes.

`reading` makes a conversation from raw fields; what an adapter does not take is listed as dropped.
"""
