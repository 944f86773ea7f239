"""Choosing a password of one's own and giving the second factor, in a dialogue of lines."""

from __future__ import annotations

from tui.client.errors import RefusedError, UnreachableError
from tui.lines.conversation import Conversation, LeaveError
from tui.session import Session
from tui.text import problem_words
from tui.text.translation import _


async def choose_password(session: Session, talk: Conversation) -> None:
    """Ask for another password until one is taken; an empty line leaves.

    Raises:
        HungUpError: The input ended.
        LeaveError: The person leaves, or the core does not answer.
    """
    talk.say(_("Choose a password of your own first. An empty line signs out."))
    talk.say(_("10 letters or more, not your name, no password that many have."))
    while session.account.must_change_password:
        old = await _secret(talk, _("Password until now:"))
        new = await _secret(talk, _("New password:"))
        if await _secret(talk, _("Once more:")) != new:
            talk.refuse(_("The two new passwords differ."))
            continue
        with talk.telling_refusals():
            await session.client.accounts.change_password(old, new)
            session.account.must_change_password = False
            talk.say(_("The new password is saved."))


async def give_code(session: Session, talk: Conversation) -> None:
    """Ask for the code of the second factor until it is good; an empty line leaves.

    Raises:
        HungUpError: The input ended.
        LeaveError: The person leaves, or the core does not answer.
    """
    talk.say(_("The six digits that your telephone shows now. An empty line signs out."))
    while session.account.needs_code:
        code = await _secret(talk, _("Code:"))
        try:
            await session.client.accounts.give_code(code)
            session.account.needs_code = False
        except RefusedError as refusal:
            if refusal.code == "not_signed_in":
                talk.refuse(_("This is not the code, or it was used already: wait for the next one."))
            else:
                talk.refuse(problem_words.problem_text(refusal.problem))
        except UnreachableError:
            raise LeaveError from None


async def _secret(talk: Conversation, question: str) -> str:
    answer = await talk.ask_secret(question)
    if not answer:
        raise LeaveError
    return answer
