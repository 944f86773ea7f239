"""The waiting room's numbers in line mode: one sentence a cluster, at each Enter."""

from __future__ import annotations

from tui.lines.conversation import Conversation, HungUpError
from tui.session import Session
from tui.text.translation import _


async def show_numbers(session: Session, talk: Conversation) -> None:
    """Show the numbers called last until the person leaves.

    Raises:
        LeaveError: The sign-in ended.
    """
    while True:
        with talk.telling_refusals():
            for cluster in await session.client.queues.clusters():
                waiting = _("{number} waiting").format(number=cluster.waiting)
                talk.say(f"{cluster.name}: {cluster.called_number or '-'}, {waiting}")
        try:
            answer = await talk.ask(_("Enter: again, Q: leave:"))
        except HungUpError:
            return
        if answer.casefold() == "q":
            return
