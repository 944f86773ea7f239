"""Sentences of `loket backup` and `loket restore`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from server.text import problem_words
from server.text.formatting import nothing, size, to_the_second, when
from server.text.translation import N_, _

COUNTED = {
    "patient": N_("patients"),
    "visit": N_("visits"),
    "encounter": N_("encounters"),
    "diagnosis": N_("diagnoses"),
    "account": N_("accounts"),
}
"""Tables whose number of rows tells an admin how much a backup holds."""


def rows(counts: Mapping[str, int]) -> str:
    """Return the content of a backup: `1200 patients, 3400 visits`."""
    return ", ".join(f"{counts[table]} {_(word)}" for table, word in COUNTED.items() if table in counts)


def keep_the_key() -> str:
    """Return the text before the recovery key, which is shown once."""
    return _(
        "Backups are encrypted and signed. Write both lines down and keep them off this machine: without the key no "
        "backup can be opened, and by the signer your own are told from others':"
    )


def backup_made(info: Mapping[str, Any], zone: ZoneInfo) -> Iterator[str]:
    """Yield the result of a backup or of its restore drill."""
    yield _("Backup of {when}, {size}: {rows}").format(
        when=when(info["made_at"], zone), size=size(info["bytes"]), rows=rows(info["counts"])
    )
    yield str(info["path"])
    if info["verified"]:
        yield _("Restored into a scratch database and found equal.")
    else:
        yield _("NOT verified: do not rely on it. Run loket doctor.")
    yield from problem_words.lines("\n".join(info["problems"]))


def backups_kept(kept: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> Iterator[str]:
    """Yield the backups, each with the path that a restore takes."""
    for info in kept:
        verified = _("verified") if info["verified"] else _("NOT VERIFIED")
        yield f"{when(info['made_at'], zone)}, {size(info['bytes'])}, {verified}: {rows(info['counts'])}"
        yield f"  {info['path']}"
    if not kept:
        yield nothing()


def restore_preview(preview: Mapping[str, Any], zone: ZoneInfo) -> Iterator[str]:
    """Yield what a restore would bring and lose."""
    if preview["journal_records"]:
        words = _("The backup of {when} and the journal after it hold {rows}.")
    else:
        words = _("The backup of {when} holds {rows}.")
    yield words.format(when=when(preview["made_at"], zone), rows=rows(preview["counts"]))
    if preview["passed_over"]:
        words = _(
            "{number} newer backups of the folder ARE NOT OPENED by this key: of a clinic that was begun by mistake, or of "
            "a newer key. If there is a newer recovery key, answer no and take it."
        )
        yield words.format(number=preview["passed_over"])
    yield from _journal(preview, zone)
    if preview["present_unread"]:
        yield _("The database here cannot be read. It is kept beside the restored one.")
        return
    if not preview["present_counts"]:
        yield _("There is no database here yet: nothing will be lost.")
        return
    yield _("The database here holds {rows}. It is kept beside the restored one.").format(
        rows=rows(preview["present_counts"])
    )
    if preview["changes_lost"]:
        yield _("{number} changes made after that WILL BE MISSING.").format(number=preview["changes_lost"])


def _journal(preview: Mapping[str, Any], zone: ZoneInfo) -> Iterator[str]:
    """Yield how far the journal goes."""
    if preview["journal_records"]:
        yield _("Restored up to {moment}: {number} actions of the journal.").format(
            moment=to_the_second(preview["journal_until"], zone), number=preview["journal_records"]
        )
    if preview["journal_unread"]:
        words = _("{number} later actions of the journal CANNOT BE READ: the file is damaged before them.")
        yield words.format(number=preview["journal_unread"])


def restored(preview: Mapping[str, Any]) -> str:
    """Return the result of a restore."""
    return _("Restored: {rows}. Start the server and run loket doctor.").format(rows=rows(preview["counts"]))


def ask_restore() -> str:
    """Return the question before a restore."""
    return _("Restore? (y/n)")


def ask_why() -> str:
    """Return the question why a backup is restored."""
    return _("Why, in words? The head of the clinic sees it and approves afterwards:")


def before_taking_over(at: str, zone: ZoneInfo) -> str:
    """Return what it means to restore a backup of before another machine took over.

    Args:
        at: ISO instant at which it did.
        zone: The clinic's.
    """
    return _(
        "Another machine took over as the core on {when}; what it saved since is not in this backup. This machine becomes "
        "the core instead; the other one refuses from its next action on. Switch it off. Then type these words:"
    ).format(when=when(at, zone))


def not_restored() -> str:
    """Return the sentence after a no."""
    return _("Nothing was changed.")


def base_first() -> str:
    """Return why the start takes as long as a backup."""
    return _(
        "The second place needs a new base of the journal before anybody saves: until it is there, what is saved is lost with "
        "the disk. This takes as long as a backup."
    )


def base_takes(seconds: float) -> str:
    """Return how long the base takes so far."""
    return _("Making the base, {seconds:.0f} seconds so far ...").format(seconds=seconds)


def base_not_made() -> str:
    """Return that the clinic is served all the same."""
    return _(
        "The base could not be made. The counters open all the same; what is saved is lost with the disk until loket doctor "
        'says "in step".'
    )


def before_serving_at_once() -> str:
    """Return what it means not to wait for the base."""
    return _(
        "The counters open at once. What is saved until the second place has its base is lost if the disk dies; loket doctor "
        "tells when it is there. Type these words to go on:"
    )


def words_to_serve_at_once() -> str:
    """Return the words by which that is accepted."""
    return _("serve at once")


def not_served() -> str:
    """Return that the server was not started."""
    return _("Not accepted; the server was not started.")
