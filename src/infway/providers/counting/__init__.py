"""How many tokens a text or a chat request has for a model, without asking anybody.

The vocabularies of OpenAI's models lie inside an installed package: for them a text is counted as
they count it. All other models are estimated from those, by factors measured per family.
"""

from infway.providers.counting.chats import count_chat, count_text, is_ready, knows
from infway.providers.counting.tally import Count

__all__ = ["Count", "count_chat", "count_text", "is_ready", "knows"]
