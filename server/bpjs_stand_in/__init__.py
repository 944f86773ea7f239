"""A strict stand-in for BPJS's P-Care, for the demo clinic and the tests: made-up people, real HTTP.

It refuses what the real service is known to refuse; the facts that nobody could confirm vary by
a seed, so that nothing comes to rely on one of them.

Source: docs/reference/bpjs.md 12.
"""

from server.bpjs_stand_in.pcare_books import Books, PcareRefusal, Unconfirmed
from server.bpjs_stand_in.pcare_host import PcareHost

__all__ = ["Books", "PcareHost", "PcareRefusal", "Unconfirmed"]
