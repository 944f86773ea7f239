"""A core that comes back at another address: counters and doors find it, and the form that is being typed stays."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from core.foundation.config import Settings
from core.foundation.errors import SettingsError
from server.run import Background
from tests.people import Caller
from tests.ports import free_port
from tests.tui.conftest import PASSWORD
from tests.tui.half_typed import NAME, half_typed, save
from tui.client.core_client import CoreClient
from tui.client.several_cores import SeveralCores
from tui.first_contact import NoAnswerError, NoTrustError, trusted_of_several

NOBODY = "http://127.0.0.1:1"


def answering(name: str, asked: list[str]) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{name} {request.headers['Host']} {request.url} {request.content.decode()}")
        return httpx.Response(200, text=name)

    return httpx.MockTransport(answer)


def failing(error: type[httpx.TransportError], asked: list[str]) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(error.__name__)
        raise error("no")

    return httpx.MockTransport(answer)


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout])
async def test_the_same_request_goes_to_the_next_address_where_nobody_took_it(
    error: type[httpx.TransportError],
):
    asked: list[str] = []
    several = SeveralCores({"http://one:1": failing(error, asked), "http://two:2": answering("two", asked)})
    async with httpx.AsyncClient(transport=several) as http:
        assert (await http.post("http://one:1/api", content="body")).text == "two"
        assert (await http.post("http://one:1/api", content="more")).text == "two"
    # Whoever answered is asked first from then on.
    assert asked == [error.__name__, "two two:2 http://two:2/api body", "two two:2 http://two:2/api more"]


@pytest.mark.parametrize(
    "error", [httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError]
)
async def test_what_may_have_been_sent_is_sent_nowhere_else(error: type[httpx.TransportError]):
    asked: list[str] = []
    several = SeveralCores({"http://one:1": failing(error, asked), "http://two:2": answering("two", asked)})
    async with httpx.AsyncClient(transport=several) as http:
        with pytest.raises(error):
            await http.post("http://one:1/api", content="body")
    assert asked == [error.__name__]


async def test_where_nobody_is_anywhere_it_says_so():
    asked: list[str] = []
    gone = failing(httpx.ConnectError, asked)
    several = SeveralCores({"http://one:1": gone, "http://two:2": gone})
    async with httpx.AsyncClient(transport=several) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get("http://one:1/api")
    assert asked == ["ConnectError", "ConnectError"]


def test_the_setting_takes_several_addresses(tmp_path: Path):
    given = {
        "LOKET_HOME": str(tmp_path),
        "LOKET_SERVER_URL": "https://192.0.2.10:8460, https://192.0.2.11:8460/",
    }
    settings = Settings.load(given)
    assert settings.server_urls == ("https://192.0.2.10:8460", "https://192.0.2.11:8460")
    assert settings.resolved_server_url == "https://192.0.2.10:8460"
    with pytest.raises(SettingsError, match="LOKET_SERVER_URL"):
        Settings.load({**given, "LOKET_SERVER_URL": "https://192.0.2.10:8460,elsewhere"})


def test_an_address_that_is_silent_yet_is_no_reason_to_stop(server: Background):
    settings = server.clinic.settings
    found = trusted_of_several(settings, [NOBODY, server.url], lambda _: False)
    assert list(found) == [NOBODY, server.url]
    # Encrypted, and silent: nobody can be trusted.
    with pytest.raises(NoAnswerError):
        trusted_of_several(settings, ["https://127.0.0.1:1"], lambda _: False)
    with pytest.raises(NoTrustError, match="LOKET_PLAIN_HTTP"):
        trusted_of_several(settings, ["http://192.0.2.1:8460", server.url], lambda _: False)


@pytest.mark.timeout(120)
async def test_a_form_is_saved_by_the_core_that_took_over(settings: Settings):
    second = free_port()
    async with AsyncExitStack() as counters:
        with Background(settings) as first:
            body = {"username": "clerk", "password": PASSWORD}
            async with httpx.AsyncClient() as http:
                answer = await http.post(f"{first.url}/api/v1/tokens", json=body)
            trust = {first.url: None, f"http://127.0.0.1:{second}": None}
            client = CoreClient(first.url, answer.json()["token"], language="en", trust=trust)
            app, pilot = await counters.enter_async_context(half_typed(client))
        with Background(settings, port=second) as other:
            await save(app, pilot, "B-001")
            with Caller(other.url, "clerk") as clerk:
                entries = clerk.get("queues/GIGI").json()["entries"]
            assert [entry["patient"]["name"] for entry in entries] == [NAME]
            await counters.aclose()
