"""The short address of a ticket's own page.

The code is the random tail of the queue entry's id (RFC 9562: the last 48 bits of a UUIDv7 made by
`core.foundation.identifiers` are random), so it is stored nowhere twice, survives restarts and is known to
every server of the clinic. With a thousand tickets valid on a day, a million guesses a second would
find one after three days, and it would say no more than a number and a place.
"""

from __future__ import annotations

from urllib.parse import urlsplit

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U to be misread
LENGTH = 10  # of 5 bits
_TAIL = 12  # hexadecimal digits behind the last dash of an id
_MISREAD = str.maketrans("ILO", "110")


def ticket_code(entry_id: str) -> str:
    """Return the code of a queue entry: ten letters and digits."""
    value = int(entry_id[-_TAIL:], 16)
    return "".join(ALPHABET[value >> 5 * place & 31] for place in reversed(range(LENGTH)))


def id_tail(code: str) -> str | None:
    """Return the last twelve digits of the entry's id; None for a text that cannot be a code."""
    value = 0
    for letter in code.upper().replace("-", "").translate(_MISREAD):
        if letter not in ALPHABET:
            return None
        value = value << 5 | ALPHABET.index(letter)
    return f"{value:012x}" if len(code.replace("-", "")) == LENGTH and value < 1 << 48 else None


def ticket_address(public_url: str, entry_id: str) -> str:
    """Return the whole address; in capitals where only scheme and host precede: its QR code is a third smaller.

    Those two mean the same in any case (RFC 3986 6.2.2.1), and the server takes the path in capitals.
    """
    address = f"{public_url.rstrip('/')}/T/{ticket_code(entry_id)}"
    return address if urlsplit(public_url).path.strip("/") else address.upper()
