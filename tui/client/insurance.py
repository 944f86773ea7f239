"""Insurance at BPJS."""

from __future__ import annotations

from datetime import date

from core.schemas.bpjs import (
    BpjsCodesOut,
    BpjsListItemOut,
    BpjsStatusOut,
    BpjsVisitOut,
    ReferralListOut,
    ReferralOut,
)
from core.schemas.insurance import InsuranceOut
from tui.client.resource import ResourceClient


class InsuranceClient(ResourceClient):
    """Asks about insured people, and for the visits that BPJS has."""

    async def check(self, nik: str, bpjs_number: str) -> InsuranceOut:
        """Ask about the person of a NIK or a card; the core waits for BPJS some seconds."""
        body = {"nik": nik, "bpjs_number": bpjs_number}
        return await self._connection.one(InsuranceOut, "POST", "insurance/check", body)

    async def status(self) -> BpjsStatusOut:
        """Return how far the visits of insured people are at BPJS."""
        return await self._connection.one(BpjsStatusOut, "GET", "bpjs")

    async def set_aside(self) -> list[BpjsVisitOut]:
        """Return the visits that BPJS refused, or that lack something."""
        return await self._connection.many(BpjsVisitOut, "bpjs/set-aside")

    async def send_again(self, visit_id: str) -> None:
        """Let a visit that was set aside be sent again."""
        await self._connection.send("POST", f"bpjs/set-aside/{visit_id}/send-again")

    async def change_payer(self, visit_id: str, payer: str) -> None:
        """Say who pays for a visit that is saved."""
        await self._connection.send("PUT", f"visits/{visit_id}/payer", {"payer": payer})

    async def codes(self) -> BpjsCodesOut:
        """Return what of the clinic needs a code at BPJS, with the code it has."""
        return await self._connection.one(BpjsCodesOut, "GET", "bpjs/codes")

    async def offered(self, kind: str, words: str) -> list[BpjsListItemOut]:
        """Return items of a list of BPJS's that fit some words.

        Args:
            kind: `poli`, `doctor`, `medicine` or `procedure`.
            words: As typed; none finds all that are known.
        """
        return await self._connection.many(BpjsListItemOut, f"bpjs/lists/{kind}", q=words)

    async def map_code(self, kind: str, ours: str, code: str, name: str) -> None:
        """Say which code something has at BPJS.

        Args:
            kind: `poli`, `doctor`, `medicine` or `procedure`.
            ours: What it is here.
            code: At BPJS; empty takes it back, `-` says that BPJS has none.
            name: As BPJS names it.
        """
        body = {"kind": kind, "ours": ours, "theirs": code, "name": name}
        await self._connection.send("PUT", "bpjs/codes", body)

    async def referral_list(
        self,
        kind: str,
        words: str = "",
        *,
        of: str = "",
        means: str = "",
        on: date | None = None,
        diagnosis: str = "",
    ) -> ReferralListOut:
        """Return a list of BPJS's for a referral.

        Args:
            kind: `specialist`, `subspecialist`, `means` or `facility`.
            words: As typed; none finds all.
            of: The specialist of subspecialists, the subspecialist of facilities.
            means: Code of the means that a facility must have.
            on: The day on which a facility is to take the patient.
            diagnosis: First diagnosis of whoever is referred.
        """
        asked = {
            "q": words,
            "of": of,
            "means": means,
            "diagnosis": diagnosis,
            **({"on": on.isoformat()} if on else {}),
        }
        return await self._connection.one(ReferralListOut, "GET", f"bpjs/referral-lists/{kind}", **asked)

    async def referrals(self) -> list[ReferralOut]:
        """Return the referrals of late of one's clusters."""
        return await self._connection.many(ReferralOut, "bpjs/referrals")
