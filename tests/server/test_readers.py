"""Those who read do not wait behind those who write."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from core.foundation.database import database, transaction
from server.run import Background
from tests.people import Caller

SAVES = 60  # more than the server has threads


def test_panes_and_readyz_answer_while_every_save_waits(server: Background, clerk: Caller) -> None:
    queue = clerk.registered()["ticket"]["cluster"]
    headers = dict(clerk.headers)
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction():
            held.set()
            release.wait(60)
        database.close()

    writer = threading.Thread(target=hold)
    writer.start()
    held.wait(10)

    def save(number: int) -> int:
        url = f"{server.url}/api/v1/drafts/test-{number % 10}"  # an account keeps a few
        return httpx.put(url, json={"data": {"n": number}}, headers=headers, timeout=120).status_code

    try:
        with ThreadPoolExecutor(SAVES) as pool:
            saves = [pool.submit(save, number) for number in range(SAVES)]
            time.sleep(3)
            try:
                for path in (f"/api/v1/queues/{queue}", "/readyz"):
                    answer = httpx.get(f"{server.url}{path}", headers=headers, timeout=20)
                    assert answer.status_code == 200, path
                assert not any(saved.done() for saved in saves)
            finally:
                release.set()
            assert {saved.result() for saved in saves} <= {200, 204}
    finally:
        release.set()
        writer.join()
