"""Loket's own app with Textual's own driver, on this terminal: the cost without `tui/terminal`.

python -m bench.counter.textual_counter URL
"""

from __future__ import annotations

import asyncio
import sys

from tui.app import build_app
from tui.client.core_client import CoreClient
from tui.session import open_session


async def run(url: str) -> None:
    client = CoreClient(url, language="en")
    token = await client.accounts.sign_in("clerk", "demo")
    session = await open_session(client, token.account, language="en", owns_client=True)
    await build_app(session).run_async(mouse=False)


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1]))
