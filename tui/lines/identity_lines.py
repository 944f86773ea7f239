"""Asks what the law asks of an identity besides, a question a line; Enter skips, R notes that the patient does not say."""

from __future__ import annotations

from collections.abc import Sequence

from core.patients.fields import BY_NAME
from core.patients.identity_values import REFUSED, lists
from tui.lines.conversation import Conversation
from tui.text.translation import _, language


async def ask_identity(talk: Conversation, names: Sequence[str]) -> dict[str, str]:
    """Return field -> answer of what was answered.

    Args:
        talk: The conversation.
        names: Fields that are asked.

    Raises:
        HungUpError: The input ended.
        LeaveError: The person leaves.
    """
    answers: dict[str, str] = {}
    for name in names:
        listed = lists()[name]
        codes = {value.code: value.code for value in listed.values} | {_("R").casefold(): REFUSED}
        shown = "  ".join(f"{value.code} {listed.label(value.code, language())}" for value in listed.values)
        question = f"{_(BY_NAME[name].label)}: {shown}  {_('R')} {_('Does not say')}"
        answer = codes.get((await talk.ask(question)).strip().casefold())
        if answer is not None:
            answers[name] = answer
    return answers
