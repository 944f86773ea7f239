"""Named actors who call the server as a terminal would, and made-up patients."""

from __future__ import annotations

from typing import Any

import httpx

from core.foundation.identifiers import new_id


class Caller(httpx.Client):
    """A signed-in person."""

    def __init__(self, url: str, username: str, password: str = "demo") -> None:
        super().__init__(base_url=f"{url}/api/v1/", timeout=30)
        self.username = username
        self.sign_in(password)

    def sign_in(self, password: str = "demo") -> None:
        """Sign in, again where the last sign-in has ended."""
        answer = self.post("tokens", json={"username": self.username, "password": password})
        assert answer.status_code == 201, answer.text
        self.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    def __enter__(self) -> Caller:
        return self  # open since it signed in

    def __exit__(self, *_: object) -> None:
        self.close()

    def register(self, **changes: Any) -> httpx.Response:
        """Register, by default a new patient with a tooth ache in GIGI."""
        return self.post("registrations", json=registration(**changes))

    def registered(self, **changes: Any) -> dict[str, Any]:
        """The receipt of a registration that must succeed."""
        answer = self.register(**changes)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def act(self, entry_id: str, action: str, **body: Any) -> httpx.Response:
        return self.post(f"queue-entries/{entry_id}/{action}", json=body)


def release_file(
    asker: httpx.Client, supervisor: httpx.Client, name: str = "daily-register", **query: str
) -> str:
    """Have a report that names patients asked for by one and released by another; gives the request's id."""
    asked = asker.post(f"reports/{name}/requests", json={"reason": "untuk dinas kesehatan"}, params=query)
    assert asked.status_code == 201, asked.text
    approved = supervisor.post(f"approvals/{asked.json()['id']}/approve")
    assert approved.status_code == 200, approved.text
    return str(asked.json()["id"])


def patient(**changes: Any) -> dict[str, Any]:
    """A patient without identifiers, whose name and birth date nobody else has."""
    serial = new_id()[-8:]
    letters = "".join(chr(ord("a") + int(digit, 16)) for digit in serial)
    year = 1968 + int(serial[:2], 16) % 30  # neither old nor a child
    return {
        "name": f"{letters[:4].title()} {letters[4:].title()}",
        "sex": "male",
        "birth_date": f"{year}-{1 + int(serial[2], 16) % 12:02d}-{1 + int(serial[3:5], 16) % 28:02d}",
        "no_identifier_reason": "forgotten",
        **changes,
    }


def registration(**changes: Any) -> dict[str, Any]:
    """A registration as a terminal sends it."""
    body: dict[str, Any] = {
        "id": new_id(),
        "chief_complaint": "sakit gigi",
        "cluster": "GIGI",
        "duplicate_decision": "new",
        **changes,
    }
    if "patient_id" not in body:
        body.setdefault("patient", patient())
    return body
