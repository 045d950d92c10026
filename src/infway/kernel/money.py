"""Money as integers: one unit is 10^-12 USD, so a price per token is a whole number.

1 USD per million tokens is 10^-6 USD per token, which is 1_000_000 units.
"""

from decimal import ROUND_HALF_EVEN, Decimal

PICO_PER_USD = 10**12
PICO_PER_USD_PER_MILLION = 10**6  # USD per million tokens -> units per token


def price_per_token(usd_per_million: Decimal) -> int:
    """Return the price of one token in 10^-12 USD, from USD per million tokens."""
    scaled = usd_per_million * PICO_PER_USD_PER_MILLION
    return int(scaled.to_integral_value(rounding=ROUND_HALF_EVEN))


def pico_of(amount: Decimal) -> int:
    """Return an amount in 10^-12 USD, from USD."""
    return int(amount * PICO_PER_USD)


def usd(pico: int) -> Decimal:
    """Return an exact amount in USD, from 10^-12 USD."""
    return Decimal(pico).scaleb(-12)


def credits_text(pico: int, credit: int) -> str:
    """Return an amount in credits, six decimals; `credit`: what one is worth, both in 10^-12 USD.

    It is rounded up, so that nothing which is paid for looks free.
    """
    millionths = -(-pico * 10**6 // credit)
    return f"{millionths // 10**6}.{millionths % 10**6:06d}"


def usd_text(pico: int, places: int = 12) -> str:
    """Return an amount in USD as plain decimal text, without an exponent or trailing zeros."""
    text = f"{Decimal(pico).scaleb(-12):.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
