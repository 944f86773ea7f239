"""Cards over HTTP: corrected, checked again, merged, taken back; and who may."""

from __future__ import annotations

from typing import Any

from tests.people import Caller, patient

HOME = {"sex": "female", "birth_date": "1974-09-30", "mother_name": "Rusmini", "address": "Gg. Melati 7"}


def stored(clerk: Caller, *, cluster: str = "GIGI", **fields: Any) -> dict[str, Any]:
    """A stored patient; two who are to become one cannot wait in one queue."""
    receipt = clerk.registered(patient=patient(**fields), cluster=cluster, override_reason="contoh")
    found: dict[str, Any] = clerk.get(f"patients/{receipt['patient_id']}").json()
    return found


def test_a_changed_name_is_checked_until_the_clerk_decides(clerk: Caller) -> None:
    stored(clerk, name="Sulastri Wardani", **HOME)
    other = stored(clerk, name="Mariati", **HOME)
    change = {"name": "Soelastri Wardani", "expected_version": other["version"]}
    refused = clerk.patch(f"patients/{other['id']}", json=change)
    assert (refused.status_code, refused.json()["code"]) == (409, "duplicate_decision_required")
    assert refused.json()["details"]["candidates"][0]["patient"]["name"] == "Sulastri Wardani"
    kept = clerk.patch(f"patients/{other['id']}", json={**change, "duplicate_decision": "new"})
    assert (kept.status_code, kept.json()["name"]) == (200, "Soelastri Wardani")


def test_what_says_nothing_of_who_it_is_is_not_checked(clerk: Caller) -> None:
    stored(clerk, name="Sulastri Wardani", **HOME)
    twice = stored(clerk, name="Sulastri Wardani", **HOME)
    assert clerk.patch(f"patients/{twice['id']}", json={"phone": "08115550003"}).status_code == 200


def test_two_people_are_remembered_and_then_not_asked_about(clerk: Caller, admin: Caller) -> None:
    one = stored(clerk, name="Sulastri Wardani", **HOME)
    other = stored(clerk, name="Soelastri Wardani", **HOME, cluster="UMUM")
    pairs = clerk.get("patients/suspected").json()
    assert [{pair["left"]["id"], pair["right"]["id"]} for pair in pairs] == [{one["id"], other["id"]}]
    assert "same_name" in pairs[0]["reasons"]
    assert clerk.post(f"patients/{one['id']}/not-same", json={"other": other["id"]}).status_code == 204
    assert clerk.get("patients/suspected").json() == []
    refused = admin.post(f"patients/{one['id']}/merge", json={"into": other["id"]})
    assert refused.json()["code"] == "judged_two_people"
    (listed,) = clerk.get("not-same").json()
    assert {listed["left_number"], listed["right_number"]} == {
        one["medical_record_number"],
        other["medical_record_number"],
    }
    judged = f"patients/{other['id']}/not-same/{one['id']}"
    assert [clerk.delete(judged).status_code for _ in range(2)] == [204, 204]
    assert len(clerk.get("patients/suspected").json()) == 1
    assert clerk.get("not-same").json() == []
    assert admin.post(f"patients/{one['id']}/merge", json={"into": other["id"]}).status_code == 201
    assert clerk.delete(f"patients/{one['id']}/not-same/nobody").status_code == 404
    assert clerk.post(f"patients/{one['id']}/not-same", json={"other": one["id"]}).status_code == 422
    assert clerk.post(f"patients/{one['id']}/not-same", json={"other": "nobody"}).status_code == 404


def test_a_merge_is_listed_and_taken_back_by_the_admin_alone(clerk: Caller, admin: Caller) -> None:
    one = stored(clerk, name="Sulastri Wardani", **HOME)
    other = stored(clerk, name="Soelastri Wardani", **HOME, cluster="UMUM")
    assert clerk.post(f"patients/{other['id']}/merge", json={"into": one["id"]}).status_code == 403
    made = admin.post(f"patients/{other['id']}/merge", json={"into": one["id"]}).json()
    assert made["survivor_number"] == one["medical_record_number"]
    listed = clerk.get("merges", params={"patient": one["id"]}).json()
    assert [item["id"] for item in listed] == [made["id"]]
    assert clerk.post(f"merges/{made['id']}/undo").status_code == 403
    assert admin.post(f"merges/{made['id']}/undo").json()["undone_at"] is not None
    again = clerk.get(f"patients/{other['id']}").json()
    assert {name: again[name] for name in ("id", "name", "version")} == {
        name: other[name] for name in ("id", "name", "version")
    }


def test_a_card_seen_makes_two_records_one(clerk: Caller) -> None:
    nik = "6371017009740021"
    known = stored(clerk, name="Sulastri Wardani", **HOME, nik=nik, identity_verified=True)
    again = stored(clerk, name="Sulastri Wardani", **HOME, cluster="UMUM")
    answer = clerk.patch(f"patients/{again['id']}", json={"nik": nik, "identity_verified": True})
    assert (answer.status_code, answer.json()["id"]) == (200, known["id"])
    assert clerk.get(f"patients/{again['id']}").json()["id"] == known["id"]


def test_clinicians_neither_correct_nor_judge(clerk: Caller, dentist: Caller) -> None:
    one = stored(clerk, name="Sulastri Wardani", **HOME)
    for answer in (
        dentist.patch(f"patients/{one['id']}", json={"phone": "0811"}),
        dentist.get("patients/suspected"),
        dentist.get("merges"),
        dentist.get("not-same"),
        dentist.post(f"patients/{one['id']}/not-same", json={"other": one["id"]}),
    ):
        assert answer.status_code == 403


SPELLINGS = ("X7654321", "x7654321", "X 765 4321", "x-7654321", "paspor X7654321", "No. Passport: x7654321")


def test_a_passport_finds_its_owner_and_belongs_to_nobody_else(clerk: Caller) -> None:
    """The family "a number that is stored but not used": a passport is like a NIK at every door."""
    fields = {"no_identifier_reason": "foreigner", "passport_number": "x 765-4321"}
    owner = stored(clerk, **fields)
    assert owner["passport_number"] == "X7654321"
    for typed in SPELLINGS:
        found = clerk.get("patients", params={"q": typed}).json()
        assert [each["id"] for each in found] == [owner["id"]], typed
    seen = clerk.post("patients/duplicates", json=patient(**fields)).json()
    assert (seen["band"], seen["candidates"][0]["patient"]["id"]) == ("existing", owner["id"])
    assert seen["candidates"][0]["reasons"] == ["same_passport_number"]
    asked = clerk.register(patient=patient(**fields), duplicate_decision=None)
    assert asked.json()["code"] == "duplicate_decision_required"
    refused = clerk.register(patient=patient(**fields))
    assert refused.json()["fields"] == {"patient.passport_number": "taken"}
    other = stored(clerk, name="Mariati", cluster="UMUM")
    change = {"passport_number": "X7654321", "no_identifier_reason": "foreigner"}
    corrected = clerk.patch(f"patients/{other['id']}", json={**change, "duplicate_decision": "new"})
    assert corrected.json()["fields"] == {"passport_number": "taken"}


def test_a_passport_of_digits_alone_is_found(clerk: Caller) -> None:
    owner = stored(clerk, no_identifier_reason="foreigner", passport_number="512345678")
    assert [each["id"] for each in clerk.get("patients", params={"q": "512345678"}).json()] == [owner["id"]]


def test_a_card_scanned_into_the_name_is_not_taken_for_one(clerk: Caller) -> None:
    for number in ("6371014501901089", "0001234567890", "0812-3456-7890", "12"):
        refused = clerk.register(patient=patient(name=number))
        assert refused.json()["fields"] == {"patient.name": "name_number"}
    other = stored(clerk, name="Mariati")
    assert clerk.patch(f"patients/{other['id']}", json={"name": "0001"}).json()["fields"] == {
        "name": "name_number"
    }
    assert clerk.register(patient=patient(name="Tn. X 2")).status_code == 201
