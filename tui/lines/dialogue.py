"""Where a dialogue of lines begins: who signed in decides what it is about."""

from __future__ import annotations

import contextlib

from tui.client import Refused, UnreachableError
from tui.door.contracts import LineReader, LineWriter
from tui.lines.conversation import Conversation, HungUpError, LeaveError
from tui.lines.counter import CounterDialogue
from tui.lines.numbers import show_numbers
from tui.lines.queue import QueueDialogue
from tui.session import Session

DONE, UNFINISHED = 0, 1


async def line_mode(session: Session, reader: LineReader, writer: LineWriter) -> int:
    """Serve a person without a terminal to paint on, until they leave or hang up.

    Returns:
        The exit status: 1 when the input ended in the middle of something, which a script piping
        answers wants to know; what was typed is kept as a draft.
    """
    session.translator.activate()
    talk = Conversation(reader, writer)
    status = DONE
    try:
        if session.works_queue:
            await QueueDialogue(session, talk).run()
        elif session.registers:
            await CounterDialogue(session, talk).run()
        else:
            await show_numbers(session, talk)
    except HungUpError:
        status = UNFINISHED
    except LeaveError:
        pass
    await talk.send()
    with contextlib.suppress(Refused, UnreachableError):
        await session.client.sign_out()
    return status
