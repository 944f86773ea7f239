"""Start of line mode: the role of the account decides the dialogue."""

from __future__ import annotations

import asyncio
import contextlib

from tui.change_stream import Seat
from tui.client.errors import RefusedError, UnreachableError
from tui.lines.conversation import Conversation, HungUpError, LeaveError
from tui.lines.counter import CounterDialogue
from tui.lines.numbers import show_numbers
from tui.lines.passwords import choose_password, give_code
from tui.lines.queue import QueueDialogue
from tui.session import Session
from tui.terminal.line_streams import LineReader, LineWriter
from tui.text.translation import _

DONE, UNFINISHED = 0, 1


async def line_mode(session: Session, reader: LineReader, writer: LineWriter) -> int:
    """Serve a person without a full-screen terminal, until they leave or hang up.

    Args:
        session: The signed-in session; its account's role decides the dialogue.
        reader: Source of the lines.
        writer: Destination of the questions.

    Returns:
        The exit status: 1 when the input ended in the middle of a dialogue, for scripts that pipe
        answers; the typed values are kept as a draft.
    """
    session.translator.activate()
    talk = Conversation(reader, writer)
    status = await _until_ended(session, talk)
    await talk.send()
    with contextlib.suppress(RefusedError, UnreachableError):
        await session.client.accounts.sign_out()
    return status


async def _until_ended(session: Session, talk: Conversation) -> int:
    """Talk until the person leaves, or until the core ends the sign-in: then nothing more is shown."""
    ended = asyncio.Event()
    seat = Seat(session.client, lambda _why: ended.set(), ended.set)
    session.hub.watch(talk, seat)
    talking, ending = asyncio.create_task(_talk(session, talk)), asyncio.create_task(ended.wait())
    try:
        await asyncio.wait({talking, ending}, return_when=asyncio.FIRST_COMPLETED)
        if talking.done():
            return talking.result()
    finally:
        session.hub.unwatch(talk)
        ending.cancel()
        talking.cancel()
    talk.forget_unsent()
    talk.say(_("Your sign-in has ended. Sign in again, or ask the person who runs Loket."))
    return UNFINISHED


async def _talk(session: Session, talk: Conversation) -> int:
    try:
        if session.account.needs_code:
            await give_code(session, talk)
        if session.account.must_change_password:
            await choose_password(session, talk)
        if session.works_queue:
            await QueueDialogue(session, talk).run()
        elif session.registers:
            await CounterDialogue(session, talk).run()
        else:
            await show_numbers(session, talk)
    except HungUpError:
        return UNFINISHED
    except LeaveError:
        pass
    return DONE
