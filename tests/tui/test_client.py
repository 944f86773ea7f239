"""The terminal's way to the core when the core is slow, gone, or back again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from core.foundation.identifiers import new_id
from core.schemas.queues import QueueOut
from tests.tui.conftest import Counter, press, type_text, until
from tests.tui.looking import screen_of, screen_text, session_of
from tui.app import build_app
from tui.client.core_client import CoreClient
from tui.client.errors import RefusedError, UnreachableError
from tui.screens.registration.confirm import ConfirmDialog
from tui.screens.registration.receipt import ReceiptScreen
from tui.screens.registration.registration_form import RegistrationScreen
from tui.screens.registration.search import SearchScreen
from tui.screens.sign_in import SignInScreen
from tui.widgets import QueuePane


class Cable:
    """A TCP line to the server that can be cut, also between a request and its answer."""

    def __init__(self, port: int) -> None:
        self._target = port
        self.is_cut = False
        self.swallow_answers = 0
        self._writers: set[asyncio.StreamWriter] = set()

    @contextlib.asynccontextmanager
    async def lay(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
        server.close()
        self.cut()

    def cut(self) -> None:
        self.is_cut = True
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, far_writer}
        posting = asyncio.Event()

        async def up() -> None:
            while data := await reader.read(65536):
                if b"POST /api/v1/registrations" in data:
                    posting.set()
                far_writer.write(data)
            far_writer.transport.abort()

        async def down() -> None:
            while data := await far_reader.read(65536):
                if posting.is_set() and self.swallow_answers:
                    self.swallow_answers -= 1
                    writer.transport.abort()  # the save was made; its answer is lost
                    return
                writer.write(data)
            writer.transport.abort()

        await asyncio.gather(up(), down(), return_exceptions=True)


def registration(nik_serial: str) -> dict[str, object]:
    return {
        "id": new_id(),
        "patient": {
            "name": f"Wati {nik_serial}",
            "nik": f"637101410790{nik_serial}",
            "sex": "female",
            "birth_date": "1990-07-01",
        },
        "chief_complaint": "sakit gigi",
        "cluster": "GIGI",
        "duplicate_decision": "new",
    }


async def signed_in(counter: Counter, url: str) -> CoreClient:
    client = CoreClient(url)
    await client.accounts.sign_in("clerk", "demo")
    return client


async def test_an_answer_that_was_lost_is_asked_for_again_and_gives_one_ticket(counter: Counter):
    cable = Cable(int(counter.url.rsplit(":", 1)[1]))
    async with cable.lay() as url:
        client = await signed_in(counter, url)
        cable.swallow_answers = 2
        tries: list[int] = []
        receipt = await client.registrations.register(registration("7001"), tries.append)
        await client.close()
    assert tries == [1, 2]
    assert counter.open_numbers("GIGI").count(receipt.ticket.number) == 1
    with counter.api() as api:
        assert len(api.get("patients", params={"q": "6371014107907001"}).json()) == 1


async def test_saved_is_never_said_before_the_proof(counter: Counter):
    cable = Cable(int(counter.url.rsplit(":", 1)[1]))
    async with cable.lay() as url:
        app = build_app(client=CoreClient(url), username="clerk", language="en")
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            await type_text(pilot, "demo")
            await press(pilot, "enter")
            await press(pilot, "f2")
            screen_of(app, RegistrationScreen).fill(
                {"nik": "6371014107907002", "name": "Wati Lestari", "birth_date": "01-07-1990", "sex": "female",
                 "chief_complaint": "sakit gigi"}
            )  # fmt: skip
            await press(pilot, "f10")
            assert isinstance(app.screen, ConfirmDialog)
            cable.cut()
            await pilot.press("enter")
            await until(pilot, lambda: "NOT CONFIRMED YET" in screen_text(app), "the truth")
            assert isinstance(app.screen, ConfirmDialog)
            cable.is_cut = False
            await until(pilot, lambda: isinstance(app.screen, ReceiptScreen), "the receipt")
            number = screen_of(app, ReceiptScreen).receipt.ticket.number
    assert counter.open_numbers("GIGI").count(number) == 1


async def test_a_refusal_is_an_answer_and_is_not_repeated(counter: Counter):
    client = await signed_in(counter, counter.url)
    bad = registration("7003") | {"cluster": "NOWHERE"}
    with pytest.raises(RefusedError) as refused:
        await client.registrations.register(bad)
    assert refused.value.problem.fields == {"cluster": "unknown"}
    await client.close()


async def test_a_server_that_is_not_there_is_unreachable():
    client = CoreClient("http://127.0.0.1:9")
    with pytest.raises(UnreachableError):
        await client.patients.search("siti")
    await client.close()


async def test_the_feed_resumes_after_the_line_was_cut(counter: Counter):
    cable = Cable(int(counter.url.rsplit(":", 1)[1]))
    async with cable.lay() as url:
        app = build_app(client=CoreClient(url), username="dentist", language="en")
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            await type_text(pilot, "demo")
            await press(pilot, "enter")
            await until(pilot, lambda: app.session and app.session.hub.connected, "the feed")
            cable.cut()
            await until(pilot, lambda: "NO CONNECTION" in screen_text(app), "the warning")
            number = counter.register("Sri Lestari", "6371014107907004", "sakit gigi", "GIGI")["ticket"][
                "number"
            ]
            cable.is_cut = False
            await until(pilot, lambda: number in screen_text(app), "what was missed")
            await until(pilot, lambda: "NO CONNECTION" not in screen_text(app), "the all-clear")


async def test_signing_in_with_a_wrong_password_keeps_the_name(counter: Counter):
    app = build_app(client=CoreClient(counter.url), language="en")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await type_text(pilot, "clerk")
        await press(pilot, "enter")
        await type_text(pilot, "wrong")
        await press(pilot, "enter")
        assert isinstance(app.screen, SignInScreen)
        assert "do not fit" in screen_text(app)
        await type_text(pilot, "demo")
        await press(pilot, "enter")
        assert isinstance(app.screen, SearchScreen)


async def test_one_changed_entry_repaints_one_row(counter: Counter, monkeypatch: pytest.MonkeyPatch):
    for serial in ("7011", "7012", "7013"):
        counter.register(f"Dewi {serial}", f"637101410790{serial}", "sakit gigi", "GIGI")
    async with counter.at("clerk") as (app, pilot):
        await press(pilot, "f3", "b")
        pane = next(pane for pane in app.screen.query(QueuePane) if pane.cluster == "GIGI")
        queue: QueueOut = await session_of(app).client.queues.get("GIGI")
        pane.show_queue(queue)
        regions: list[object] = []
        monkeypatch.setattr(pane, "refresh", lambda *areas, **options: regions.extend(areas))
        changed = [
            entry.model_copy(update={"chief_complaint": "gusi berdarah"}) if index == 1 else entry
            for index, entry in enumerate(queue.entries)
        ]
        pane.show_queue(queue.model_copy(update={"entries": changed}))
        assert len(regions) == 1
        pane.show_queue(queue.model_copy(update={"entries": changed}))
        assert len(regions) == 1


async def test_two_apps_share_one_feed_and_keep_their_languages(counter: Counter):
    clerk, dentist = await counter.session("clerk", "id"), await counter.session("dentist", "en")
    dentist.hub = clerk.hub
    first, second = build_app(clerk), build_app(dentist)
    async with first.run_test(size=(80, 24)) as one, second.run_test(size=(80, 24)) as two:
        await press(one, "f3", "b")
        number = counter.register("Mega Sari", "6371014107907021", "sakit gigi", "GIGI")["ticket"]["number"]
        await until(one, lambda: number in screen_text(first), "the patient at the counter")
        await until(two, lambda: number in screen_text(second), "the patient before the dentist")
        assert "menunggu" in screen_text(first)
        assert "waiting" in screen_text(second)
