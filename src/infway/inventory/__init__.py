"""Configuration, vendors and catalogue joined: what can be asked, where, and at what price.

`stock` puts the shelf in order, `connection` says how an upstream is reached and paid, `facts`
what a model costs and can do. No I/O but for reading the packaged catalogue.
"""

from infway.inventory.facts import EVERYTHING
from infway.inventory.stock import Inventory, build, packaged, with_found

__all__ = ["EVERYTHING", "Inventory", "build", "packaged", "with_found"]
