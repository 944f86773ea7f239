"""BPJS's signature and encryption, by themselves and against Node's crypto with npm's lz-string."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.exchange.bpjs import lz_string
from core.exchange.bpjs.bpjs_keys import Keys
from core.exchange.bpjs.envelope import UnreadableError, open_answer
from tests import bpjs_oracle

KEYS = Keys("12345", "s3cret", "user-key", "puskesmas", "pass:word")
AT = 1_790_000_000
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(st.text())
def test_what_is_packed_is_unpacked(text: str) -> None:
    assert lz_string.decompress(lz_string.compress(text)) == text


@given(st.text(alphabet="ab", min_size=200))
def test_words_that_are_made_while_they_are_asked_for(text: str) -> None:
    assert lz_string.decompress(lz_string.compress(text)) == text


@given(st.text(st.sampled_from(lz_string.ALPHABET)) | st.text())
def test_rubbish_is_an_error_and_never_a_hang(rubbish: str) -> None:
    with suppress(ValueError):
        lz_string.decompress(rubbish)


@given(DOCUMENTS)
def test_a_sealed_answer_opens_with_its_own_second_only(document: object) -> None:
    sealed = KEYS.encrypt(document, AT)
    assert KEYS.decrypt(sealed, AT) == document
    with pytest.raises(ValueError):
        KEYS.decrypt(sealed, AT + 1)


@given(st.binary())
def test_an_envelope_of_rubbish_is_unreadable(raw: bytes) -> None:
    with pytest.raises(UnreadableError):
        open_answer(raw, KEYS, AT)


def test_the_two_spellings_and_the_kinds_of_body() -> None:
    sealed = KEYS.encrypt({"noKartu": "0001234567890"}, AT)
    for name in ("metaData", "metadata", "metaDATA"):
        raw = json.dumps({"response": sealed, name: {"code": "200", "message": "OK"}}).encode()
        answer = open_answer(raw, KEYS, AT)
        assert (answer.code, answer.body) == (200, {"noKartu": "0001234567890"})
    plain = {
        "response": [{"field": "kdPoli", "message": "tidak dikenal"}],
        "metaData": {"code": 412, "message": "X"},
    }
    answer = open_answer(json.dumps(plain).encode(), KEYS, AT)
    assert (answer.is_done, answer.words) == (False, "kdPoli: tidak dikenal; X")
    empty = open_answer(b'{"response": null, "metaData": {"code": 204, "message": ""}}', KEYS, AT)
    assert empty.is_nothing
    bare = open_answer(b'{"response": "not encrypted", "metaData": {"code": 412, "message": "no"}}', KEYS, AT)
    assert bare.words == "not encrypted; no"


@pytest.mark.parametrize(
    "body", [{"field": "noUrut", "message": "A1"}, [{"field": "noUrut", "message": "A1"}]]
)
def test_a_number_is_read_from_an_object_and_from_a_list(body: object) -> None:
    raw = json.dumps(
        {"response": KEYS.encrypt(body, AT), "metaData": {"code": 201, "message": "CREATED"}}
    ).encode()
    assert open_answer(raw, KEYS, AT).number("noUrut") == "A1"


def test_secrets_are_in_no_text_of_the_keys() -> None:
    assert "s3cret" not in repr(KEYS)
    assert "user-key" not in repr(KEYS)
    assert "pass:word" not in str(KEYS)


def test_an_independent_implementation_opens_what_is_sealed_here_and_the_other_way_round() -> None:
    documents = [
        {"nama": "SITI", "list": [1, 2, None]}, [], {"alamat": "Jl. Ĵalan 日本 😀 \x00", "n": "ab" * 3000},
        "text", 0, [{"field": "noKunjungan", "message": "0101U0010326Y000001"}] * 40,
    ]  # fmt: skip
    asked = {"consumerId": KEYS.consumer_id, "secret": KEYS.secret, "timestamp": str(AT)}
    there = bpjs_oracle.ask([{"call": "seal", "document": document, **asked} for document in documents])
    assert [KEYS.decrypt(text, AT) for text in there] == documents
    sealed = [{"call": "open", "text": KEYS.encrypt(document, AT), **asked} for document in documents]
    assert bpjs_oracle.ask(sealed) == documents
    assert bpjs_oracle.ask([{"call": "sign", **asked}]) == [KEYS.headers(AT)["X-signature"]]


def test_a_public_client_in_python_signs_the_same_and_opens_what_is_sealed_here() -> None:
    """`bpjs-bridging` is no dependency: `pip install bpjs-bridging` lets this test run."""
    public = pytest.importorskip("bpjs.bpjs")
    client = {"host": "https://localhost", "consid": KEYS.consumer_id, "secret": KEYS.secret}
    theirs = public.Bridging({**client, "user_key": KEYS.user_key}, "antrean")
    signed = KEYS.headers(AT)
    for name, value in theirs._headers(str(AT)).items():
        if name in {"X-cons-id", "X-timestamp", "X-signature", "user_key"}:
            assert signed[name] == value, name
    for document in ({"nama": "SITI", "list": [1, 2, None]}, [{"alamat": "Jl. Ĵalan 日本"}] * 40, "text"):
        assert theirs._decrypt(KEYS.encrypt(document, AT), str(AT)) == document
