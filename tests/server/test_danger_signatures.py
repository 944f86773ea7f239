"""The head of the clinic signs danger signs: each page for what it says that day, over HTTP, with the doctor and the command."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.complaints.danger_page import danger_page
from core.complaints.rules.shipped_rules import overlay, shipped_document
from core.complaints.vocabulary import Vocabulary, compile_vocabulary
from core.models import DangerSignature
from server.doctor import work_checks
from server.run import Background
from server.text import routing_sentences
from tests.people import Caller

CODE = "stroke"
RULE = {"kind": "red", "service": "emergency"}
OTHER_WORDS: dict[str, dict[str, object]] = {
    "a word of a rule": {"words": {"stroke": "setruk mendadak"}},
    "a word of a sign behind it": {"words": {"lisp": "celat celot"}},
    "a word that takes it back": {"words": {"since_stroke": "gara gara stroke"}},
    "a new rule": {"rule": [{"id": "red.stroke.own", "needs": ["at_face", "numb"], **RULE}]},
    "a rule of its id": {"rule": [{"id": "red.stroke", "needs": ["stroke"], **RULE}]},
    "a rule removed": {"remove": {"rules": ["red.stroke.smile"]}},
    "an example": {"dangers": {CODE: {"source": "FAST", "examples": ["mulut mencong | 60y"]}}},
}


@pytest.fixture
def head(server: Background) -> Iterator[Caller]:
    with Caller(server.url, "supervisor") as caller:
        yield caller


def signed(head: Caller, code: str = CODE) -> dict[str, object]:
    page = head.get(f"dangers/{code}").json()
    answer = head.post(f"dangers/{code}/signature", json={"digest": page["digest"]})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def state(head: Caller) -> str:
    return str(head.get(f"dangers/{CODE}").json()["state"])


def use(server: Background, **own: object) -> None:
    """Let the clinic have words and rules of its own, as after a start with another file."""
    server.clinic.__dict__["vocabulary"] = compile_vocabulary(overlay(shipped_document(), own), "a test's")


def test_who_signs_is_named_and_an_unsigned_sign_comes_first(server: Background, head: Caller) -> None:
    before = head.get("dangers").json()
    assert {sign["state"] for sign in before} == {"unsigned"}
    assert len(before) == len(Vocabulary.load().dangers)
    answer = signed(head, before[0]["code"])
    assert (answer["state"], answer["added"], answer["removed"]) == ("signed", [], [])
    after = head.get("dangers").json()
    assert after[-1]["code"] == before[0]["code"]
    assert after[-1]["signed_by"]
    assert after[-1]["signed_at"]
    again = signed(head, before[0]["code"])
    assert again["signed_at"] == answer["signed_at"]
    assert DangerSignature.select().count() == 1


def test_the_page_tells_source_examples_rules_and_words(head: Caller) -> None:
    items = head.get(f"dangers/{CODE}").json()["items"]
    told = {kind: [item["text"] for item in items if item["kind"] == kind] for kind in
            ("source", "danger", "none", "rule", "sign", "word")}  # fmt: skip
    assert all(told.values())
    assert any(line.startswith("red.stroke: stroke") and "max_days 21" in line for line in told["rule"])
    assert any(line.startswith("sign.slurred: speak + hard|lisp") for line in told["sign"])
    assert {"stroke: stroke", "since_stroke: sejak stroke", "lisp: pelo"} <= set(told["word"])


@pytest.mark.parametrize("own", OTHER_WORDS.values(), ids=OTHER_WORDS)
def test_what_changes_the_sign_makes_it_unsigned_and_is_shown(
    server: Background, head: Caller, own: dict[str, object]
) -> None:
    signed(head)
    use(server, **own)
    page = head.get(f"dangers/{CODE}").json()
    assert page["state"] == "changed"
    assert page["added"] or page["removed"]
    assert len(page["added"]) + len(page["removed"]) < len(page["items"])
    assert signed(head)["state"] == "signed"
    use(server)
    assert state(head) == "changed", "the older page is another page again"


def test_a_word_of_another_sign_leaves_it_signed(server: Background, head: Caller) -> None:
    signed(head)
    use(server, words={"snake": "ular sanca batik"})
    assert state(head) == "signed"


def test_a_page_that_has_changed_since_it_was_read_is_not_signed(server: Background, head: Caller) -> None:
    read = head.get(f"dangers/{CODE}").json()["digest"]
    use(server, **OTHER_WORDS["a new rule"])
    refused = head.post(f"dangers/{CODE}/signature", json={"digest": read})
    assert (refused.status_code, refused.json()["code"]) == (409, "changed_meanwhile")
    assert state(head) == "unsigned"


def test_a_signature_is_taken_back_with_a_reason_and_stays_known(server: Background, head: Caller) -> None:
    assert head.post(f"dangers/{CODE}/signature/take-back", json={"reason": "salah baca"}).status_code == 409
    signed(head)
    assert head.post(f"dangers/{CODE}/signature/take-back", json={"reason": " x "}).status_code == 422
    taken = head.post(f"dangers/{CODE}/signature/take-back", json={"reason": "salah baca"})
    assert (taken.status_code, taken.json()["state"]) == (200, "unsigned")
    row = DangerSignature.get()
    assert (row.taken_back_because, row.taken_back_by_id) == ("salah baca", row.signed_by_id)
    signed(head)
    actions = [row["action"] for row in head.get("audit", params={"watched": True}).json()]
    assert actions[:3] == ["danger_signed", "danger_signature_taken_back", "danger_signed"]


def test_an_unknown_sign_is_not_found(head: Caller) -> None:
    assert head.get("dangers/no-such").status_code == 404
    assert head.post("dangers/no-such/signature", json={"digest": "0" * 64}).status_code == 404


def test_the_doctor_counts_what_is_not_signed(server: Background, head: Caller) -> None:
    total = len(Vocabulary.load().dangers)
    signed(head)
    (found,) = work_checks.check_dangers(server.clinic)
    assert found.level == "warning"
    assert found.words.startswith((f"{total - 1} of {total}", f"{total - 1} dari {total}"))
    use(server, **OTHER_WORDS["a new rule"])
    (found,) = work_checks.check_dangers(server.clinic)
    assert found.words.startswith((f"{total} of {total}", f"{total} dari {total}"))
    for code in server.clinic.vocabulary.dangers:
        signed(head, code)
    assert [found.level for found in work_checks.check_dangers(server.clinic)] == ["ok"]


def test_the_command_lists_them(server: Background, head: Caller) -> None:
    signed(head)
    from core.accounts.service import system_actor
    from core.visits import danger_signatures

    signs = danger_signatures.listed(server.clinic, system_actor())
    lines = list(routing_sentences.dangers(signs, server.clinic.zone))
    assert len(lines) == len(signs) + 1
    assert CODE in lines[-1]


def test_rules_in_another_order_are_the_same_page() -> None:
    document = shipped_document()
    turned = compile_vocabulary({**document, "rule": list(reversed(document["rule"]))}, "turned round")
    shipped = Vocabulary.load()
    assert {code: danger_page(turned, code).digest for code in turned.dangers} == {
        code: danger_page(shipped, code).digest for code in shipped.dangers
    }
