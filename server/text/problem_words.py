"""Words for the problems of the daily work, each with its remedy.

The core reports each as a `JobProblem`, a stable code with facts. Only this module turns them into
words; the terminal and the `loket` command show these as they come.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.daily.backup import BackupInfo
from core.foundation import job_problems
from core.foundation.job_problems import JobProblem
from core.schemas.clinic import BackupOut, ClosingOut, SyncOut, ToldOut
from server.text.translation import N_, _

PROBLEMS: Mapping[str, tuple[str, str]] = {
    # The closing
    "not_over": (N_("The day is not over yet."), ""),
    "people_here": (
        N_("Still in the queues: {detail}. The day is closed when they are done."),
        "",
    ),
    "counters_out": (
        N_(
            "These counters have not delivered what they registered: {detail}. The day is closed when they have."
        ),
        N_("Look at their line and their screen. If one is lost or broken for good: loket counter lost NAME"),
    ),
    "begins_at": (N_("Sending begins at {detail}."), ""),
    "cut_off": (N_("It was cut off before its end."), N_("Press C on the system screen to go on.")),
    "no_proven_backup": (N_("There is no proven backup."), N_("Run: loket backup now")),
    "backup_changed": (
        N_("The backup was changed on the disk: {detail}"),
        N_("Run: loket backup now, and look for who changes files there."),
    ),
    "records_wait": (
        N_("{detail} records wait for the other end."),
        N_("They are sent by themselves as soon as it answers."),
    ),
    "records_refused": (
        N_("{detail} records were refused."),
        N_("loket sync status says for each why and what to do."),
    ),
    "sets_differ": (
        N_("The other end does not hold the same as this clinic."),
        N_("What differs is sent by itself at the next sending."),
    ),
    "only_there": (
        N_("The other end holds {detail} records that this clinic does not have."),
        N_(
            "Was an older backup restored here? Enter what is missing from the paper tickets, and tell the office."
        ),
    ),
    "internal": (
        N_("A fault inside Loket: {detail}"),
        N_(
            "Press C on the system screen to try again; if it stays, tell the maintainer with the server's log."
        ),
    ),
    # PostgreSQL's own replica
    "replica_missing": (
        N_("LOKET_DATABASE_URL names several servers, and no replica follows the one that is used."),
        N_("See docs/running.md, A second PostgreSQL: make the other machine its replica."),
    ),
    "replica_lost": (
        N_("PostgreSQL has dropped log that the replica had not received: it cannot follow any more."),
        N_("See docs/running.md, A second PostgreSQL: make the replica anew."),
    ),
    "replica_silent": (
        N_("The replica does not follow now: what is saved is on one machine only."),
        N_("Does the other machine run, and reach this one? There: sudo systemctl start postgresql"),
    ),
    "replica_behind": (
        N_("The replica does not have what was saved last: {detail} behind."),
        N_("Is the other machine or the line between slow? See its log of PostgreSQL."),
    ),
    "replica_unnamed": (
        N_("A replica follows, but Loket would not find it: LOKET_DATABASE_URL names one server."),
        N_("See docs/running.md, A second PostgreSQL: name both in .env."),
    ),
    "replica_not_waited": (
        N_("A replica follows, and saves do not wait for it: the last moments would be lost."),
        N_("To wait: ALTER SYSTEM SET synchronous_standby_names = 'loket_replica'"),
    ),
    # PostgreSQL's own archive
    "wal_no_slot": (
        N_("Nothing receives PostgreSQL's log: what is saved after a backup is lost with its disk."),
        N_("See docs/running.md, An archive of PostgreSQL."),
    ),
    "wal_lost": (
        N_("PostgreSQL has dropped log that the archive had not received."),
        N_(
            "Remove the slot (SELECT pg_drop_replication_slot('loket_archive')), start loket-wal, then loket-base."
        ),
    ),
    "wal_silent": (
        N_("Nobody receives PostgreSQL's log now: what is saved is on one disk only."),
        N_("Is the second place connected? Run: sudo systemctl start loket-wal"),
    ),
    "wal_behind": (
        N_("The archive does not have what was saved last: {detail} behind."),
        N_("Is the second place slow or full? See: sudo journalctl -u loket-wal"),
    ),
    "wal_unseen": (
        N_("PostgreSQL's log is received; whether it can be restored is not looked at."),
        N_("Set LOKET_WAL_ARCHIVE in .env to the archive's folder."),
    ),
    "wal_folder": (
        N_("The archive of PostgreSQL cannot be read: {detail}"),
        N_("Is the disk connected, and may Loket's user read it?"),
    ),
    "wal_no_base": (
        N_("The archive has no base of this PostgreSQL: its log alone restores nothing."),
        N_("Run: sudo systemctl start loket-base"),
    ),
    "wal_base_old": (
        N_("The archive's newest base is {detail} days old: a restore takes long."),
        N_("Run: sudo systemctl start loket-base"),
    ),
    "wal_gap": (
        N_(
            "A file of PostgreSQL's log is missing from the archive: {detail}. What came after it cannot be restored."
        ),
        N_("Run: sudo systemctl start loket-base"),
    ),
    # Sending
    "not_set_up": (
        N_("Nothing is sent: {detail} is not set."),
        N_("Set it in .env, then start the server again."),
    ),
    "already_running": (N_("It is being sent already."), N_("Wait for it: loket sync status")),
    "unreachable": (
        N_("The other end cannot be reached ({detail})."),
        N_("Is the internet there, and the address right? It is tried again by itself."),
    ),
    "certificate": (
        N_("The other end's certificate does not hold: {detail}."),
        N_("Is this machine's clock right? Otherwise tell the office; nothing is sent until then."),
    ),
    "busy": (N_("The other end is busy or failing ({detail})."), N_("It is tried again by itself.")),
    "strange_answer": (
        N_("What answered is not the other end ({detail})."),
        N_("Does the internet line ask for a sign-in? It is tried again by itself."),
    ),
    "address_wrong": (
        N_("{detail} is no web address."),
        N_("It must begin with https:// - correct it in .env."),
    ),
    "nobody_there": (N_("Nothing receives records at {detail}."), N_("Correct the address in .env.")),
    "token_refused": (
        N_("The office does not accept this clinic's token: {detail}."),
        N_("Ask the office for a new token, set it in .env, then start the server again."),
    ),
    "client_refused": (
        N_("SATUSEHAT does not accept this clinic: {detail}."),
        N_("Correct both in .env, then start the server again."),
    ),
    "bpjs_refuses": (
        N_("BPJS refuses: {detail}"),
        N_("Tell the maintainer of this program; keep the words above."),
    ),
    "bpjs_not_let_in": (
        N_("BPJS does not let this clinic in: {detail}"),
        N_("Check the keys, the user and the password of LOKET_BPJS_...; then run: loket bpjs check"),
    ),
    "sandbox_only": (
        N_("The check makes up a visit, and is not made on the server with people's records: {detail}"),
        N_("Set the sandbox's address and keys for the check, then set them back."),
    ),
    "facility_refused": (
        N_("The other end refuses this facility: {detail}"),
        N_("Check LOKET_FACILITY_CODE and, for SATUSEHAT, LOKET_SATUSEHAT_ORGANIZATION."),
    ),
    "manifest_refused": (
        N_("The other end refuses to compare: {detail}"),
        N_("Tell the maintainer of this program; keep the words above."),
    ),
    # Backups
    "second_place": (
        N_("The backup did not reach the second place: {detail}"),
        N_("Is the disk of LOKET_BACKUP_SECOND connected, and has it room?"),
    ),
    "command": (
        N_("The command of LOKET_BACKUP_COMMAND failed: {detail}"),
        N_("Try it by hand; what it must hold stands in .env.example."),
    ),
    "place_missing": (
        N_("The journal's second place {detail} is not there."),
        N_("Is the disk connected? Saving goes on; what waits is written there by itself once it is back."),
    ),
    "place_other": (
        N_("The folder {detail} is not the journal's second place: it is empty, or another disk's."),
        N_("Connect the disk. To go on with this one: loket backup now"),
    ),
    "place_slow": (
        N_("The journal's second place did not answer within half a second."),
        N_("Saving does not wait for it now; what waits is written there by itself."),
    ),
    "place_failed": (
        N_("The journal's second place cannot be written ({detail})."),
        N_("Has the disk room, and may this user write there? It is tried again by itself."),
    ),
    "journal_behind": (
        N_("{detail} saved actions are not on the second place yet."),
        N_("They would be lost with this disk. They are written there by themselves; see the log."),
    ),
    "journal_gap": (
        N_("Actions are missing between the journal and the database."),
        N_("A new backup is made by itself for the journal to go on from; at once: loket backup now"),
    ),
    "journal_ahead": (
        N_("The journal holds more than the database: {detail} actions."),
        N_("Stop the server. Restore as docs/runbook.md says: the database has lost them."),
    ),
    "journal_differs": (
        N_("Rebuilt from backup and journal, these tables are not those of the database: {detail}"),
        N_(
            "A new backup was made for the journal to go on from. Keep the log and tell the maintainer of this program."
        ),
    ),
    "journal_key": (
        N_("The key of waiting actions is not there any more."),
        N_("Run: loket backup now"),
    ),
    "base_due": (
        N_("The journal waits for a backup to go on from."),
        N_("The server makes it by itself; at once: loket backup now"),
    ),
    "no_recovery_key": (
        N_("There is no recovery key."),
        N_("Run: loket backup key, and keep it off this machine."),
    ),
    "key_exists": (
        N_("There is a recovery key already; another would make the older backups look lost."),
        N_("If it is lost, move the file away first: {detail}"),
    ),
    "wrong_key": (N_("This recovery key does not open this backup."), N_("Nothing was changed.")),
    "unsigned": (
        N_("Nobody has signed this backup: it is older than signatures, or somebody else made it."),
        N_('Nothing was changed. To take it all the same: loket restore ... --unsigned "why, in words"'),
    ),
    "other_signer": (
        N_("This backup was signed by another: {detail}"),
        N_("Nothing was changed. Compare with the recovery sheet (# signer ...)."),
    ),
    "signer_unknown": (
        N_("This backup was signed by {detail}, and nothing here says who is to be trusted."),
        N_("Compare with the recovery sheet and put its line (# signer ...) into the file with the key."),
    ),
    "reason_missing": (
        N_("Say in words why the backup is restored."),
        N_(
            "Nothing was changed. Five letters or more after --because; the head of the clinic approves afterwards."
        ),
    ),
    "words_missing": (N_("Say in words why."), N_("At least five letters after --unsigned.")),
    "no_signer": (
        N_("The key that signs backups cannot be read: {detail}"),
        N_("Move the file away; the next backup makes another, and the recovery sheet needs its new line."),
    ),
    "damaged": (
        N_("The backup is damaged ({detail})."),
        N_("Nothing was changed. Take another: loket backup list"),
    ),
    "database_damaged": (
        N_("The database is damaged ({detail})."),
        N_(
            "Nothing can be saved. Stop the server, copy the data folder away, run: loket doctor, "
            "and if it says the same: loket restore FILE --key KEYFILE"
        ),
    ),
    "database_unread": (
        N_("The database could not be read ({detail}). That alone does not mean that it is damaged."),
        N_("Run: loket doctor - it checks the database and says what to do."),
    ),
    "disk_error": (
        N_("The disk failed at its work ({detail}: read, write or sync). The data may be whole."),
        N_(
            "Copy the data folder to another disk, then run: loket doctor. Restore nothing before it says so."
        ),
    ),
    "database_missing": (
        N_("This data folder belongs to a clinic, but its database is not there ({detail})."),
        N_(
            "Is the data disk connected? If it is lost: loket restore FILE --key KEYFILE. "
            "Only for a new, empty clinic: loket serve --new-clinic"
        ),
    ),
    "database_elsewhere": (
        N_("This data folder is empty, but {detail} holds backups or the journal of this facility's clinic."),
        N_(
            "Is the data disk connected, and LOKET_HOME right? If the data are lost: loket restore FILE --key KEYFILE. "
            "Only for a new, empty clinic beside those backups: loket serve --new-clinic"
        ),
    ),
    "no_clinic": (
        N_("There is no clinic in this data folder ({detail})."),
        N_(
            "Is LOKET_HOME right? A new clinic begins with: loket serve. One that was lost comes back with: "
            "loket restore FILE --key KEYFILE"
        ),
    ),
    "database_less": (
        N_("The database holds less than was there: {detail} changes or numbers are missing."),
        N_(
            "Start nothing; keep a copy of the data folder. Is there a newer backup: loket restore FILE --key KEYFILE. "
            "To go on without them: loket serve --accept-loss"
        ),
    ),
    "database_other": (
        N_("The database is another clinic's than this data folder's ({detail})."),
        N_("Is LOKET_HOME or LOKET_DATABASE_URL right? To go on with it: loket serve --accept-loss"),
    ),
    "database_half_moved": (
        N_("The database {detail} is being filled by a move that was cut off."),
        N_("Set LOKET_DATABASE_URL to the one before, and run loket move-database again."),
    ),
    "mark_unreadable": (
        N_("It cannot be read how much the database held ({detail})."),
        N_("Compare the last numbers with the paper tickets, then: loket serve --accept-loss"),
    ),
    "move_same": (
        N_("The database would be moved onto itself."),
        N_("Name another one: loket move-database postgresql://..."),
    ),
    "move_no_clinic": (N_("There is no clinic in {detail}."), N_("Is LOKET_DATABASE_URL right?")),
    "move_holds_clinic": (
        N_("The target {detail} is not empty."),
        N_("Nothing was changed there. Name an empty database: createdb loket"),
    ),
    "move_other_clinic": (
        N_("In the target {detail} the move of another clinic was begun."),
        N_("Nothing was changed there. Name an empty database: createdb loket"),
    ),
    "move_in_use": (
        N_("Somebody else uses the database ({detail})."),
        N_("Stop every server of it first, then run the command again; it goes on where it stopped."),
    ),
    "move_row_refused": (
        N_("The target refuses a row: {detail}"),
        N_("The clinic goes on with its present database. Tell the maintainer of this program these words."),
    ),
    "move_differs": (
        N_("Both databases are not equal yet: {detail}"),
        N_("Is every server stopped? Run the command again. The clinic's present database is untouched."),
    ),
    "clinic_exists": (
        N_("There is a clinic in this database already ({detail})."),
        N_("Nothing was changed. Start it with: loket serve"),
    ),
    "superseded": (
        N_("Another machine took over as the core ({detail}): nothing is read or saved here."),
        N_(
            "Leave it off the counters. What it saved after that, to be entered again: loket superseded. "
            "To use it as a standby: LOKET_HOME=another folder, then loket standby FOLDER --key KEYFILE"
        ),
    ),
    "place_unwritten": (
        N_(
            "The second place cannot be written ({detail}): the machine before could not learn that it is not the core any more."
        ),
        N_(
            "Make room there or connect it, and restore again. Where that machine is off for good: the same with --old-is-off"
        ),
    ),
    "taken_over": (
        N_("This backup is of before another machine took over as the core ({detail})."),
        N_(
            "If that machine is there, it is the core: restore nothing. If it is gone too, restore the newest backup of "
            "the journal's folder, or this one with --old-is-off: it becomes the core, and the other one refuses."
        ),
    ),
    "standby": (
        N_("This data folder ({detail}) is a standby's: nobody is served from it."),
        N_("It follows with: loket standby. To make it the core once the old machine is off: loket promote"),
    ),
    "no_standby": (
        N_("There is no standby in this data folder ({detail})."),
        N_("The first time: loket standby FOLDER --key KEYFILE, with the folder of the journal."),
    ),
    "not_paired": (
        N_("What is in the folder was not encrypted for this standby ({detail})."),
        N_("Pair it again in a new data folder: loket standby FOLDER --key KEYFILE"),
    ),
    "standby_name": (
        N_("This is no name for a standby: {detail}"),
        N_("Letters, digits and hyphens, at most 40: --name"),
    ),
    "not_superseded": (N_("No other machine has taken over: this is the core."), ""),
    "not_settled": (
        N_("Another machine is taking over since {detail} and has not caught up yet."),
        N_("Try again when loket promote has ended there."),
    ),
    "database_denied": (
        N_("The database may not be opened or written ({detail})."),
        N_("To whom does the data folder belong? Run the command as that user."),
    ),
    "database_pooler": (
        N_("PostgreSQL is reached through a pooler that keeps no sessions ({detail})."),
        N_("Set LOKET_DATABASE_URL to PostgreSQL itself, usually port 5432; Loket keeps a pool of its own."),
    ),
    "database_unreachable": (
        N_("The database server does not let Loket in ({detail})."),
        N_("Is PostgreSQL running, and LOKET_DATABASE_URL right?"),
    ),
    "database_busy": (
        N_("The database is busy ({detail})."),
        N_("Try again in a minute; if it stays, run: loket doctor"),
    ),
    "missing": (N_("There is no such file or folder: {detail}"), ""),
    "newer_schema": (
        N_("The backup was made by a newer Loket ({detail})."),
        N_("Nothing was changed. Install that version first."),
    ),
    "newer_format": (
        N_("The backup was made by a newer Loket ({detail})."),
        N_("Nothing was changed. Install that version first."),
    ),
    "other_engine": (
        N_("The backup is for another kind of database: {detail}."),
        N_("Nothing was changed. Set LOKET_DATABASE_URL to that kind first."),
    ),
    "in_use": (N_("The database is in use."), N_("Stop the server first, then restore.")),
    "running": (N_("A backup is being made already."), N_("Wait for it.")),
    "disk_full": (N_("The disk is full."), N_("Make room, then try again.")),
    "disk": (N_("The disk refuses: {detail}"), N_("Is it connected, and may this user write there?")),
    "no_scratch": (
        N_("No database can be made to prove the backup in: {detail}"),
        N_("Let Loket's user make databases: ALTER ROLE loket CREATEDB"),
    ),
    "postgres_tool": (
        N_("PostgreSQL's own tools failed: {detail}"),
        N_("Install pg_dump and pg_restore in the server's version; check LOKET_DATABASE_URL."),
    ),
}
"""Code -> what happened, and what to do (empty: nothing). `{detail}` is the problem's facts."""

REFUSALS: Mapping[str, str] = {
    "choose_another_code": N_("Choose another diagnosis code in the visit's record and save it."),
    "check_the_settings": N_("Check LOKET_SATUSEHAT_ORGANIZATION in .env."),
    "complete_the_address": N_(
        "Choose the patient's kelurahan on the card (F6); the visits follow by themselves."
    ),
    "complete_the_nik": N_("Enter the patient's NIK; the visits follow by themselves."),
    "complete_the_practitioner": N_("Enter the NIK of who served the visit: loket account nik NAME NIK"),
    "correct_and_save": N_("Open the record, correct it and save it."),
    "correct_the_patient": N_("Correct the patient's data and save them."),
    "enter_a_diagnosis": N_("Enter a diagnosis in the visit's record and save it."),
    "import_displays": N_(
        "Import the official texts of these codes: loket codes import FILE --list icd10; loket codes check names all of them."
    ),
    "look_for_the_other_record": N_("Look for a second record of this patient and merge them."),
    "nothing_to_do": N_("Too old for the other end: nothing to do."),
    "send_the_patient_first": N_("Correct the patient first; the visit follows by itself."),
    "tell_the_maintainer": N_("Tell the maintainer of this program; keep the words above."),
}
"""Remedy code of a refused record (`core.exchange.satusehat.remedies`) -> instruction."""


Problems = str | JobProblem | Sequence[JobProblem] | None
"""Problems as the core reports them, or as text that holds one a line."""


def told(problems: Problems) -> list[ToldOut]:
    """Return problems in words."""
    if isinstance(problems, JobProblem):
        problems = [problems]
    elif problems is None or isinstance(problems, str):
        problems = job_problems.from_text(problems)
    return [_told(problem) for problem in problems]


def _told(problem: JobProblem) -> ToldOut:
    if problem.code not in PROBLEMS:
        return ToldOut(text=str(problem))
    text, remedy = PROBLEMS[problem.code]
    facts = problem.facts or "-"
    return ToldOut(text=_(text).format(detail=facts), remedy=_(remedy).format(detail=facts) if remedy else "")


def lines(problems: Problems) -> Iterator[str]:
    """Yield problems as lines of a command's output, each with its remedy below."""
    for problem in told(problems):
        yield f"! {problem.text}"
        if problem.remedy:
            yield f"  {problem.remedy}"


def sentence(problems: Problems) -> str:
    """Return problems as running text."""
    return " ".join(f"{problem.text} {problem.remedy}".strip() for problem in told(problems))


def todo(refusal: Mapping[str, Any]) -> str:
    """Return the remedy for a refused record."""
    return _(REFUSALS.get(str(refusal.get("remedy")), REFUSALS["correct_and_save"]))


def closing_in_words(status: ClosingOut) -> ClosingOut:
    """Add words to the problems of a closing, and return it."""
    for step in status.steps:
        step.told = told(step.error)
        if why := step.detail.get("why"):
            step.note = sentence(str(why))
    status.told = told(status.error)
    return status


def sync_in_words(status: SyncOut) -> SyncOut:
    """Add words to the problems of the synchronisation, and return it."""
    status.told = told(status.last_error)
    status.refusals = [{**refusal, "todo": todo(refusal)} for refusal in status.refusals]
    return status


def backup_in_words(info: BackupInfo) -> BackupOut:
    """Return one backup with its problems in words."""
    return BackupOut(
        path=info.path,
        made_at=info.made_at,
        bytes=info.bytes,
        newest_change=info.newest_change,
        verified=info.verified,
        problems=list(info.problems),
        told=told("\n".join(info.problems)),
    )
