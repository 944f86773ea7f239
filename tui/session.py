"""A signed-in person: what every screen is given by its constructor."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from core.schemas.accounts import AccountShape
from core.schemas.clinic import ClinicShape
from core.schemas.queues import ClusterShape
from core.vocabulary import Role
from tui.changes import ChangeHub
from tui.client import CoreClient
from tui.terminal.capabilities import Capabilities
from tui.text import Translator


@dataclass
class Session:
    """One person at one terminal.

    Attributes:
        account: Who it is.
        client: That person's calls; its token is replaced when they sign in again.
        clinic: What is known of the clinic.
        clusters: The clinic's clusters in the order screens show them.
        hub: The change feed; shared by all apps of a door.
        translator: The language of this session's screens.
        capabilities: What the terminal can do; None when not known (tests).
        owns_client: Whether the connections end with the app.
        last_patient_id: Whom the counter opened or registered last.
        draft_seconds: Least time between two drafts of one form; 0 keeps one at each field.
    """

    account: AccountShape
    client: CoreClient
    clinic: ClinicShape
    clusters: list[ClusterShape]
    hub: ChangeHub
    translator: Translator = field(default_factory=Translator)
    capabilities: Capabilities | None = None
    owns_client: bool = False
    last_patient_id: str | None = None
    draft_seconds: float = 0.0

    @property
    def identity(self) -> str:
        """The account, the same at each sign-in: a door finds the app to resume by it."""
        return self.account.id

    @property
    def registers(self) -> bool:
        """Whether this person works at the registration counter."""
        return self.account.role in {Role.CLERK, Role.ADMIN}

    @property
    def works_queue(self) -> bool:
        """Whether this person calls patients."""
        return self.account.role in {Role.CLINICIAN, Role.LAB, Role.PHARMACIST}

    @property
    def writes_records(self) -> bool:
        """Whether this person writes clinical notes."""
        return self.account.role is Role.CLINICIAN

    @property
    def fulfils(self) -> bool:
        """Whether this person enters results or hands medicines out."""
        return self.account.role in {Role.LAB, Role.PHARMACIST}

    @property
    def administers(self) -> bool:
        """Whether this person runs the system."""
        return self.account.role is Role.ADMIN

    @property
    def sees_numbers_only(self) -> bool:
        """Whether this is a waiting-room screen."""
        return self.account.role is Role.DISPLAY

    @property
    def destinations(self) -> list[ClusterShape]:
        """Clusters a patient can be sent to from the counter."""
        return [cluster for cluster in self.clusters if cluster.first_destination]

    def cluster_name(self, code: str | None) -> str:
        """A cluster's name; its code when it is not known."""
        return next((cluster.name for cluster in self.clusters if cluster.code == code), code or "")

    def prefix_of(self, code: str | None) -> str:
        """A cluster's ticket letter."""
        return next((cluster.prefix for cluster in self.clusters if cluster.code == code), "")


async def open_session(
    client: CoreClient,
    account: AccountShape,
    *,
    hub: ChangeHub | None = None,
    language: str | None = None,
    capabilities: Capabilities | None = None,
    owns_client: bool = False,
) -> Session:
    """Ask the core for what a session needs.

    Args:
        client: Already holding the person's token.
        account: Who that is.
        hub: The process's change feed; without one the session follows it with its own token.
        language: `id` or `en`; the clinic's own unless given.
        capabilities: What the terminal can do.
        owns_client: Whether the client's connections end with the app.

    Raises:
        Refused: The token is not good.
        UnreachableError: The core does not answer.
    """
    clinic, clusters = await asyncio.gather(client.clinic(), client.clusters())
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
