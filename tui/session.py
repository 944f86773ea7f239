"""The session of a signed-in person, which every screen gets from its constructor."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from core.foundation.codes import Permission, Role
from core.schemas.accounts import AccountOut
from core.schemas.clinic import ClinicOut
from core.schemas.counters import CounterStanding
from core.schemas.queues import ClusterOut, QueueOut
from core.schemas.roster import RosterOut
from core.visits.roster import WEEKDAYS, Hours
from tui.change_stream import ChangeHub
from tui.client.core_client import CoreClient
from tui.terminal.capabilities import Capabilities
from tui.text.translation import Translator


@dataclass
class Session:
    """One person at one terminal.

    Attributes:
        account: The person's account.
        client: That person's calls; its token is replaced when they sign in again.
        clinic: The clinic's settings.
        clusters: The clinic's clusters in the order screens show them.
        hub: The change feed; shared by all apps of a door.
        translator: The language of this session's screens.
        capabilities: Capabilities of the terminal; None when not known (tests).
        owns_client: Whether the connections end with the app.
        last_patient_id: The patient that the counter opened or registered last.
        panes: Clusters whose queue panes are on this person's screen.
        late_writer: Who wrote down the late entry that was typed last: papers come in stacks.
        standing: How the counter's own machine stands with the core; None at every other terminal.
        draft_seconds: Least time between two drafts of one form; 0 keeps one at each field.
        roster: Who works when, as it was read last; None before, and when it has changed.
    """

    account: AccountOut
    client: CoreClient
    clinic: ClinicOut
    clusters: list[ClusterOut]
    hub: ChangeHub
    translator: Translator = field(default_factory=Translator)
    capabilities: Capabilities | None = None
    owns_client: bool = False
    last_patient_id: str | None = None
    late_writer: str = ""
    draft_seconds: float = 0.0
    standing: CounterStanding | None = None
    panes: set[str] = field(default_factory=set)
    roster: RosterOut | None = None

    @property
    def identity(self) -> str:
        """The account's id, the same at each sign-in: a door finds a detached session by it."""
        return self.account.id

    @property
    def registers(self) -> bool:
        """True where this person works at the registration counter."""
        return self.account.role in {Role.CLERK, Role.ADMIN}

    @property
    def works_queue(self) -> bool:
        """True where this person calls patients."""
        return self.account.role in {Role.CLINICIAN, Role.LAB, Role.PHARMACIST}

    @property
    def writes_records(self) -> bool:
        """True where this person writes clinical notes."""
        return self.account.role is Role.CLINICIAN

    @property
    def measures(self) -> bool:
        """Return whether this person takes vital signs for others: a clinician types them into the note."""
        return Permission.WRITE_VITALS in self.account.rights and not self.writes_records

    @property
    def fulfils(self) -> bool:
        """True where this person enters results or hands medicines out."""
        return self.account.role in {Role.LAB, Role.PHARMACIST}

    @property
    def administers(self) -> bool:
        """True where this person runs the system."""
        return self.account.role is Role.ADMIN

    @property
    def oversees(self) -> bool:
        """Return whether this person looks each day at what was done out of the ordinary."""
        return self.account.role is Role.SUPERVISOR

    def may(self, right: Permission) -> bool:
        """Return whether this person's role has a right in this clinic."""
        return right in self.account.rights

    @property
    def sees_numbers_only(self) -> bool:
        """True where this is a waiting-room screen."""
        return self.account.role is Role.DISPLAY

    @property
    def reads_board(self) -> bool:
        """True where this person sees the supervisor's board."""
        return self.account.role in {Role.SUPERVISOR, Role.ADMIN}

    @property
    def watches_queues(self) -> bool:
        """True where this person begins with the queues of all clusters: triage has none of its own to call."""
        return self.account.role is Role.NURSE

    def sees_complaints(self, cluster: str) -> bool:
        """Return whether this person is shown why the patients of a cluster came."""
        return cluster in self.account.clusters or Permission.READ_COMPLAINTS in self.account.rights

    def shown(self, queue: QueueOut) -> QueueOut:
        """Return a pane as this person may see it: a door reads one for everybody who is signed in at it."""
        if self.sees_complaints(queue.cluster):
            return queue
        entries = [entry.without_findings() for entry in queue.entries]
        return queue.model_copy(update={"entries": entries})

    @property
    def destinations(self) -> list[ClusterOut]:
        """Clusters a patient can be sent to from the counter."""
        return [cluster for cluster in self.clusters if cluster.first_destination]

    def cluster_name(self, code: str | None) -> str:
        """Return a cluster's name; its code when it is not known."""
        return next((cluster.name for cluster in self.clusters if cluster.code == code), code or "")

    def is_closed(self, day: date) -> bool:
        """Return whether nobody works on a day by the roster, as far as it was read."""
        if self.roster is None:
            return False
        return day in self.roster.closed_on or WEEKDAYS[day.weekday()] in self.roster.closed_weekdays

    def on_duty(self, cluster: str, at: datetime) -> str:
        """Return who works in a cluster at an instant by the roster, and until when; empty where it knows nobody.

        Args:
            cluster: Its code.
            at: The instant.
        """
        if self.roster is None:
            return ""
        local = at.astimezone(ZoneInfo(self.clinic.timezone))
        weekday = WEEKDAYS[local.weekday()]
        if self.is_closed(local.date()):
            return ""
        here = [
            (session.name, hours)
            for session in self.roster.sessions
            if session.cluster == cluster
            and weekday in session.weekdays
            and (hours := Hours.read(session.hours)) is not None
            and hours.begins <= local.time() < hours.ends
        ]
        return ", ".join(f"{name} -{hours.ends:%H:%M}" for name, hours in here)

    def prefix_of(self, code: str | None) -> str:
        """Return a cluster's ticket letter."""
        return next((cluster.prefix for cluster in self.clusters if cluster.code == code), "")


async def open_session(
    client: CoreClient,
    account: AccountOut,
    *,
    hub: ChangeHub | None = None,
    language: str | None = None,
    capabilities: Capabilities | None = None,
    owns_client: bool = False,
) -> Session:
    """Read the clinic's settings and clusters and make a session.

    Args:
        client: Already holding the person's token.
        account: That person's account.
        hub: The process's change feed; without one the session follows it with its own token.
        language: One of `LANGUAGES`; the clinic's own unless given.
        capabilities: Capabilities of the terminal.
        owns_client: Whether the client's connections end with the app.

    Raises:
        RefusedError: The token is not valid.
        UnreachableError: The core does not answer.
    """
    clinic, clusters = await asyncio.gather(client.clinic.settings(), client.queues.clusters())
    translator = Translator(language or clinic.language)
    client.language = translator.language
    panes = account.role is not Role.DISPLAY
    return Session(
        account=account,
        client=client,
        clinic=clinic,
        clusters=clusters,
        hub=hub or ChangeHub(client, panes=panes, always=False),
        translator=translator,
        capabilities=capabilities,
        owns_client=owns_client,
    )
