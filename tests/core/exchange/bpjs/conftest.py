"""The stand-in for P-Care on a free port, with its clock and a few insured people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

import httpx
import pytest

from core.exchange.bpjs.bpjs_link import BpjsLink
from core.foundation import clock
from server.bpjs_stand_in import Books, PcareHost

CARD, NIK = "0001234567890", "6371014107900001"


@pytest.fixture
def pcare() -> Iterator[PcareHost]:
    books = Books(lambda: clock.now().astimezone(ZoneInfo("Asia/Makassar")))
    books.add_participant(CARD, NIK, "SITI AMINAH", "P", date(1990, 7, 1))
    host = PcareHost(books)
    yield host
    host.close()


@pytest.fixture
def link(pcare: PcareHost) -> Iterator[BpjsLink]:
    with httpx.Client() as client:
        yield BpjsLink(pcare.url, pcare.keys, client, timeout=httpx.Timeout(20))
