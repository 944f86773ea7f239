"""One walk through the configured service, with the clinic's own keys: which uncertain facts hold there.

Nothing is entered for a patient: the only body that is sent is an empty one, which is refused.

Source: docs/reference/bpjs.md 13.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, get_args

import httpx

from core.exchange.bpjs import code_lists
from core.exchange.bpjs.bpjs_link import NEEDED_SETTINGS, BpjsLink, pcare_link, queue_link, shared_client
from core.exchange.bpjs.pcare_bodies import day_text
from core.exchange.pacing import TryAgainError
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.errors import SyncError

RULE_BROKEN = 412
"""Code of a body that was read, and refused for what it says."""


@dataclass(frozen=True)
class Finding:
    """One thing that was tried."""

    what: str
    """Code of the thing."""
    outcome: str
    """`ok`, `differs`, `untried` or `failed`."""
    found: str = ""
    setting: str = ""
    """Name of the setting that would be right; empty where none is to be changed."""
    value: str = ""

    def document(self) -> dict[str, str]:
        """Return it JSON-safe."""
        return asdict(self)


def check(clinic: Clinic, client: httpx.Client | None = None) -> list[Finding]:
    """Try the service once.

    Args:
        clinic: The clinic.
        client: An HTTP client to use instead of the shared one.
    """
    settings = clinic.settings
    missing = [f"LOKET_{name.upper()}" for name in NEEDED_SETTINGS if not getattr(settings, name)]
    if missing:
        return [Finding("settings", "failed", ", ".join(missing))]
    own = client or shared_client()
    link = pcare_link(settings, own)
    try:
        found = [
            *_lists(clinic, link),
            *_day(clinic, link),
            _content_type(settings, own),
            *_untried(settings),
        ]
    except (TryAgainError, SyncError) as error:
        found = [Finding("sign_in", "failed", str(error.problem))]
    return found + (_queue(clinic, own) if settings.bpjs_queue_url else [])


def _queue(clinic: Clinic, client: httpx.Client) -> list[Finding]:
    """Ask the queue's service, which has a key of its own, for the polis of today."""
    try:
        answer = queue_link(clinic.settings, client).get(f"ref/poli/tanggal/{clinic.today().isoformat()}")
    except (TryAgainError, SyncError) as error:
        return [Finding("queue", "failed", str(error.problem))]
    is_read = answer.is_done or answer.is_nothing
    return [Finding("queue", "ok" if is_read else "differs", f"{len(answer.items())} ({answer.code})")]


def _lists(clinic: Clinic, link: BpjsLink) -> list[Finding]:
    """Read every list; the first answer proves keys, signature, encryption and clock."""
    made: list[Finding] = []
    polis: set[str] = set()
    for name, code_list in code_lists.WHOLE.items():
        answer = link.get(code_list.path.format(start=0, limit=code_lists.MOST))
        items = answer.items() if answer.is_done else []
        made.append(Finding(name, "ok" if items else "differs", f"{len(items)} ({answer.code})"))
        if name == code_lists.POLI:
            polis = {str(item.get("kdPoli")) for item in items}
    seconds = link.clock_offset.total_seconds()
    clock = Finding("clock", "differs" if seconds else "ok", f"{seconds:.0f} s")
    return [Finding("sign_in", "ok", "ok"), clock, *made, _mapped(clinic, polis)]


def _mapped(clinic: Clinic, polis: set[str]) -> Finding:
    """Say whether the clusters' codes are polis of BPJS."""
    codes = [(cluster.code, cluster.bpjs_code) for cluster in clinic.clusters.values() if cluster.bpjs_code]
    unknown = [f"{code} {theirs}" for code, theirs in codes if theirs not in polis]
    return Finding("clusters", "differs" if unknown else "ok", ", ".join(unknown) or "ok")


def _day(clinic: Clinic, link: BpjsLink) -> list[Finding]:
    answer = link.get(f"pendaftaran/tglDaftar/{day_text(clinic.today())}/0/1")
    is_read = answer.is_done or answer.is_nothing
    return [Finding("registrations", "ok" if is_read else "differs", f"{answer.code} {answer.words[:80]}")]


def _content_type(settings: Settings, client: httpx.Client) -> Finding:
    """Send an empty body under each content type: the one that is read is refused for what it lacks."""
    wanted: dict[str, int] = {}
    for kind in get_args(Settings.model_fields["bpjs_content_type"].annotation):
        link = pcare_link(settings.model_copy(update={"bpjs_content_type": kind}), client)
        wanted[kind] = _code(link)
    what, present = "content_type", settings.bpjs_content_type
    if wanted[present] == RULE_BROKEN:
        return Finding(what, "ok", present)
    right = next((kind for kind, code in wanted.items() if code == RULE_BROKEN), "")
    found = ", ".join(f"{kind} {code}" for kind, code in wanted.items())
    return Finding(what, "differs", found, "LOKET_BPJS_CONTENT_TYPE" if right else "", right)


def _code(link: BpjsLink) -> int:
    body: dict[str, Any] = {}
    try:
        return link.call("POST", "pendaftaran", body).code
    except TryAgainError:
        return 0


def _untried(settings: Settings) -> list[Finding]:
    """Name the facts that only a real visit would show."""
    return [
        Finding("visit_path", "untried", settings.bpjs_visit_path),
        Finding("temperature", "untried", settings.bpjs_temperature),
    ]
