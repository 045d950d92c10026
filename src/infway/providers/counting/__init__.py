"""How many tokens a text or a chat request has for a model, without asking anybody.

The vocabularies of OpenAI's models lie inside an installed package: for them a text is counted as
they count it. All other models are estimated from those, by factors measured per family.
"""

from infway.providers.counting.chats import Weigh, count_chat, count_texts, knows
from infway.providers.counting.tally import Count
from infway.providers.counting.vocabularies import readable

__all__ = ["Count", "Weigh", "count_chat", "count_texts", "knows", "readable"]
