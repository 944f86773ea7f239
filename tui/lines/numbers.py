"""The waiting room's numbers in line mode: one sentence a cluster, as often as Enter is pressed."""

from __future__ import annotations

from tui.lines.conversation import Conversation, HungUpError
from tui.session import Session
from tui.text import _


async def show_numbers(session: Session, talk: Conversation) -> None:
    """Tell the numbers last called until the person leaves.

    Raises:
        LeaveError: The sign-in ended.
    """
    while True:
        with talk.telling_refusals():
            for cluster in await session.client.clusters():
                waiting = _("{number} waiting").format(number=cluster.waiting)
                talk.say(f"{cluster.name}: {cluster.called_number or '-'}, {waiting}")
        try:
            answer = await talk.ask(_("Enter: again, Q: leave:"))
        except HungUpError:
            return
        if answer.casefold() == "q":
            return
