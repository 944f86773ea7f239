"""A form that was typed while the core did not answer outlives the terminal, on the counter's own disk."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.tui.conftest import PASSWORD, Counter, press, settle, type_text, until
from tests.tui.half_typed import COMPLAINT, NAME, half_typed, save
from tests.tui.looking import screen_text
from tests.tui.test_client import Cable
from tui.app import build_app
from tui.client import drafts, registrations
from tui.client.core_client import CoreClient
from tui.client.errors import KeptHereError, UnreachableError
from tui.client.kept_drafts import KeptDrafts
from tui.session import open_session


def kept(folder: Path, password: str = PASSWORD) -> KeptDrafts:
    """The forms of the clerk at this machine."""
    store = KeptDrafts(folder)
    store.unlock("clerk", password)
    return store


async def at_the_counter(url: str, folder: Path) -> CoreClient:
    """A counter's own terminal, signed in."""
    client = CoreClient(url, language="en")
    client.kept_drafts = KeptDrafts(folder)
    await client.accounts.sign_in("clerk", PASSWORD)
    return client


async def test_a_terminal_that_dies_while_the_core_is_away_loses_nothing(counter: Counter, tmp_path: Path):
    cable = Cable(int(counter.url.rsplit(":", 1)[1]))
    async with cable.lay() as url:
        client = await at_the_counter(url, tmp_path)
        async with half_typed(client) as (app, pilot):
            cable.cut()
            await type_text(pilot, " berat sekali")
            await press(pilot, "tab")
            await until(pilot, lambda: "is kept on this machine" in screen_text(app), "the truth")
            assert [draft.data["label"] for draft in kept(tmp_path).all("registration")] == [NAME]
            app.exit()  # as when the power fails: nothing more reaches the core
        cable.is_cut = False
        again = await at_the_counter(url, tmp_path)
        app = build_app(await open_session(again, await again.accounts.me(), language="en", owns_client=True))
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            await press(pilot, "f8")
            await until(pilot, lambda: f"{COMPLAINT} berat sekali" in screen_text(app), "the form")
            await save(app, pilot, "B-")
            assert kept(tmp_path).all("registration") == []


def test_the_disk_alone_says_nothing(tmp_path: Path):
    kept(tmp_path).save("registration:1", {"label": NAME, "values": {"nik": "6371015708900002"}})
    on_disk = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    for word in (NAME, "6371015708900002", "registration", "clerk"):
        assert word.encode() not in on_disk
    assert {file.stat().st_mode & 0o077 for file in tmp_path.rglob("*.draft")} == {0}
    assert kept(tmp_path, "another").all("registration") == []
    assert [draft.data["label"] for draft in kept(tmp_path).all("registration")] == [NAME]


def test_another_password_still_opens_them(tmp_path: Path):
    store = kept(tmp_path)
    store.save("registration:1", {"label": NAME})
    store.change_password("another password")
    assert kept(tmp_path).all("registration") == []
    assert [draft.key for draft in kept(tmp_path, "another password").all("registration")] == [
        "registration:1"
    ]


def test_who_has_signed_out_keeps_nothing(tmp_path: Path):
    store = kept(tmp_path)
    store.save("registration:0", {"label": NAME})
    store.lock()
    assert not store.save("registration:1", {"label": NAME})
    assert store.all("registration") == []
    assert store.get("registration:1") is None
    # What was kept before waits for the next sign-in.
    assert [draft.key for draft in kept(tmp_path).all("registration")] == ["registration:0"]


async def test_a_form_is_on_the_disk_while_the_line_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(drafts, "SILENT_SECONDS", 0.05)
    answer = asyncio.Event()

    async def silent(*_: object) -> None:
        await answer.wait()

    client = CoreClient("http://127.0.0.1:1")
    client.kept_drafts = kept(tmp_path)
    monkeypatch.setattr(client, "send", silent)
    saving = asyncio.ensure_future(client.drafts.save("registration:1", {"label": NAME}))
    while not kept(tmp_path).all("registration"):  # noqa: ASYNC110  # a file says nothing when it comes
        await asyncio.sleep(0.01)
    assert not saving.done()
    answer.set()
    await saving
    assert kept(tmp_path).all("registration") == []


async def test_a_door_keeps_nothing_on_its_disk():
    client = CoreClient("http://127.0.0.1:1")
    with pytest.raises(UnreachableError) as failure:
        await client.drafts.save("registration:1", {"label": NAME})
    assert not isinstance(failure.value, KeptHereError)


async def test_a_save_on_a_silent_line_is_said_to_be_unconfirmed_before_the_line_gives_up(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(registrations, "SILENT_SECONDS", 0.05)
    told = asyncio.Event()

    async def silent(*_: object) -> None:
        await asyncio.Event().wait()

    client = CoreClient("http://127.0.0.1:1")
    monkeypatch.setattr(client, "one", silent)
    saving = asyncio.ensure_future(client.registrations.register({}, lambda _tries: told.set()))
    await told.wait()
    assert not saving.done()
    saving.cancel()
