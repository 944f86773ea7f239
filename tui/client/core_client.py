"""All calls to the core, by resource: `client.patients.search(...)`, `client.queues.call_next(...)`."""

from __future__ import annotations

import httpx

from tui.client.account_administration import AccountAdministrationClient
from tui.client.accounts import AccountsClient
from tui.client.clinic import ClinicClient
from tui.client.connection import CoreConnection, Trust
from tui.client.counters import CountersClient
from tui.client.drafts import DraftsClient
from tui.client.imports import ImportsClient
from tui.client.insurance import InsuranceClient
from tui.client.machine import MachineClient
from tui.client.orders import OrdersClient
from tui.client.oversight import OversightClient
from tui.client.paper_forms import PaperFormsClient
from tui.client.patients import PatientsClient
from tui.client.printing import PrintingClient
from tui.client.queues import QueuesClient
from tui.client.registrations import RegistrationsClient
from tui.client.roster import RosterClient
from tui.client.terminology import TerminologyClient
from tui.client.visits import VisitsClient


class CoreClient(CoreConnection):
    """The calls of one person.

    Attributes:
        account_administration: Everybody's accounts, for the administrator.
        accounts: Signing in and out, and the person's own account.
        clinic: The clinic's settings, the day's closing, synchronisation, backups and reports.
        counters: A counter's own machine, where the terminal speaks to one.
        drafts: Half-typed forms.
        imports: Rows of imported lists that wait to be mended.
        insurance: What BPJS says about a person, and the visits that it has.
        roster: Closed days, and who works when.
        machine: The machine for the admin: disks, settings, log and restart.
        orders: Diagnoses, procedures, prescriptions and laboratory tests of a visit, and the worklists.
        oversight: The audit logs, and what the supervisor watches over.
        paper_forms: Numbered forms for the hours without a computer.
        patients: Patients, duplicates and merges.
        printing: The clinic's printer.
        queues: Clusters, their queues and the entries of these.
        registrations: Routing of complaints, and registrations.
        terminology: Codes and words of diagnoses, procedures, medicines and tests.
        visits: Visits with their notes, letters and forms.
    """

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        language: str = "id",
        origin: str = "",
        http: httpx.AsyncClient | None = None,
        trust: Trust | None = None,
    ) -> None:
        """Prepare a client; the arguments are those of `CoreConnection`."""
        super().__init__(base_url, token, language=language, origin=origin, http=http, trust=trust)
        self.account_administration = AccountAdministrationClient(self)
        self.accounts = AccountsClient(self)
        self.clinic = ClinicClient(self)
        self.counters = CountersClient(self)
        self.drafts = DraftsClient(self)
        self.imports = ImportsClient(self)
        self.insurance = InsuranceClient(self)
        self.machine = MachineClient(self)
        self.roster = RosterClient(self)
        self.orders = OrdersClient(self)
        self.oversight = OversightClient(self)
        self.paper_forms = PaperFormsClient(self)
        self.patients = PatientsClient(self)
        self.printing = PrintingClient(self)
        self.queues = QueuesClient(self)
        self.registrations = RegistrationsClient(self)
        self.terminology = TerminologyClient(self)
        self.visits = VisitsClient(self)

    def with_token(self, token: str, *, language: str | None = None) -> CoreClient:
        """Return the client of another person over the same connections.

        Args:
            token: That person's bearer token.
            language: Language of the texts that the server writes; None keeps this client's.

        Returns:
            The new client.
        """
        client = CoreClient(
            self.base_url, token, language=language or self.language, origin=self.origin, http=self.http
        )
        client.door_token = self.door_token
        client.kept_drafts = self.kept_drafts
        return client

    def through_door(self, origin: str) -> CoreClient:
        """Return the client of a person who comes through the door that this client stands for.

        Args:
            origin: Address of that person's terminal: `ssh 10.0.0.5`.
        """
        client = CoreClient(self.base_url, "", language=self.language, origin=origin, http=self.http)
        client.door_token = self.token or ""
        return client
