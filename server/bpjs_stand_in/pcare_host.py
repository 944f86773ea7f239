"""The stand-in on HTTP: who may ask, which call it is, the answer in BPJS's envelope, and what goes wrong.

Source: docs/reference/bpjs.md 2, docs/reference/bpjs.md 3, docs/reference/bpjs.md 4, docs/reference/bpjs.md 12.
"""

from __future__ import annotations

import hmac
import json
import random
import re
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from core.exchange.bpjs.bpjs_keys import Keys
from server.bpjs_stand_in import pcare_lists
from server.bpjs_stand_in.pcare_books import Books, PcareRefusal
from server.bpjs_stand_in.queue_books import QueueBooks

CLOCK_SECONDS = 300
LOOK_SECONDS = 0.05  # between looks whether it is to end
CONTENT_TYPES = ("application/x-www-form-urlencoded", "application/json", "text/plain")
FAULTS = ("html", "error_500", "lose_request", "lose_answer", "commit_then_500", "cut")
"""Faults: `lose_answer`, `commit_then_500` and `cut` after the call was done."""
SILENT = "silent"
"""A fault that costs the one who asks its whole patience: the call is done, and nothing is answered."""
NOT_DONE = frozenset({"html", "error_500", "lose_request"})
QUEUE_USER_KEY = "demo-queue-key"
DEMO_KEYS = Keys("10001", "demo-secret", "demo-user-key", "puskesmas", "demo")

Call = Callable[[Any, Any, tuple[str, ...]], tuple[int, Any]]
"""Books, body and parts of the path -> code and response."""


def _found(ask: Callable[[Any, tuple[str, ...]], Any]) -> Call:
    return lambda books, _body, parts: (200, ask(books, parts))


def _made(make: Callable[[Any, Any], Any]) -> Call:
    return lambda books, body, _parts: (201, make(books, body))


def _done(act: Callable[[Any, Any, tuple[str, ...]], None]) -> Call:
    def run(books: Any, body: Any, parts: tuple[str, ...]) -> tuple[int, Any]:
        act(books, body, parts)
        return 200, None

    return run


def _found_by(words: str, rows: Any, *names: str) -> list[dict[str, Any]]:
    """Return the rows whose code or name holds the words."""
    wanted = words.casefold()
    return [dict(zip(names, row, strict=True)) for row in rows if wanted in f"{row[0]} {row[1]}".casefold()]


def _codes(rows: Any, *names: str) -> Call:
    return _found(lambda _books, _parts: [dict(zip(names, row, strict=True)) for row in rows])


def _polis(code: str, name: str) -> list[dict[str, Any]]:
    return [dict(zip((code, name, "poliSakit"), row, strict=True)) for row in pcare_lists.POLIS]


def _diagnoses(_books: Books, parts: tuple[str, ...]) -> list[dict[str, Any]]:
    code = parts[0].upper()
    return [{"kdDiag": code, "nmDiag": code, "nonSpesialis": code in pcare_lists.NON_SPECIALIST}]


def _subspecialists(_books: Books, parts: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = pcare_lists.SUBSPECIALISTS.get(parts[0], ())
    return [{"kdSubSpesialis": code, "nmSubSpesialis": name, "kdPoliRujuk": parts[0]} for code, name in rows]


CALLS: tuple[tuple[str, str, Call], ...] = (
    ("GET", r"peserta/(\d+)", _found(lambda books, parts: books.participant(parts[0]))),
    ("GET", r"peserta/nik/(\d{16})", _found(lambda books, parts: books.participant_by_nik(parts[0]))),
    ("GET", r"peserta/noka/(\d+)", _found(lambda books, parts: books.participant(parts[0]))),
    ("POST", "pendaftaran", _made(lambda books, body: books.register(body))),
    (
        "GET",
        r"pendaftaran/tglDaftar/([^/]+)/(\d+)/(\d+)",
        _found(lambda books, parts: books.registrations_of(parts[0], int(parts[1]), int(parts[2]))),
    ),
    (
        "DELETE",
        r"pendaftaran/peserta/([^/]+)/tglDaftar/([^/]+)/noUrut/([^/]+)/kdPoli/([^/]+)",
        _done(lambda books, _body, parts: books.take_back_registration(*parts)),
    ),
    ("POST", "kunjungan(?:/V1)?", _made(lambda books, body: books.add_visit(body))),
    ("PUT", "kunjungan(?:/V1)?", _done(lambda books, body, _parts: books.edit_visit(body))),
    ("GET", r"kunjungan/peserta/(\d{13})", _found(lambda books, parts: books.visits_of(parts[0]))),
    ("GET", r"kunjungan/rujukan/([^/]+)", _found(lambda books, parts: books.referral_of(parts[0]))),
    ("DELETE", "kunjungan/([^/]+)", _done(lambda books, _body, parts: books.take_back_visit(parts[0]))),
    ("GET", "obat/kunjungan/([^/]+)", _found(lambda books, parts: books.medicines_of(parts[0]))),
    ("POST", "obat/kunjungan", _made(lambda books, body: books.add_medicine(body))),
    (
        "DELETE",
        r"obat/(\d+)/kunjungan/([^/]+)",
        _done(lambda books, _body, parts: books.take_back_item(books.medicines, int(parts[0]), parts[1])),
    ),
    ("GET", "tindakan/kunjungan/([^/]+)", _found(lambda books, parts: books.procedures_of(parts[0]))),
    ("POST", "tindakan", _made(lambda books, body: books.add_procedure(body))),
    (
        "DELETE",
        r"tindakan/(\d+)/kunjungan/([^/]+)",
        _done(lambda books, _body, parts: books.take_back_item(books.procedures, int(parts[0]), parts[1])),
    ),
    ("GET", r"poli/fktp/\d+/\d+", _found(lambda _books, _parts: _polis("kdPoli", "nmPoli"))),
    ("GET", r"dokter/\d+/\d+", _codes(pcare_lists.DOCTORS, "kdDokter", "nmDokter")),
    ("GET", "kesadaran", _codes(pcare_lists.CONSCIOUSNESS, "kdSadar", "nmSadar")),
    ("GET", "prognosa", _codes(pcare_lists.PROGNOSES, "kdPrognosa", "nmPrognosa")),
    (
        "GET",
        "statuspulang/rawatInap/(?:true|false)",
        _codes(pcare_lists.WAYS_OF_LEAVING, "kdStatusPulang", "nmStatusPulang"),
    ),
    ("GET", r"diagnosa/([^/]+)/\d+/\d+", _found(_diagnoses)),
    (
        "GET",
        r"obat/dpho/([^/]+)/\d+/\d+",
        _found(lambda _books, parts: _found_by(parts[0], pcare_lists.MEDICINES, "kdObat", "nmObat")),
    ),
    (
        "GET",
        r"alergi/jenis/(0[123])",
        _found(
            lambda _books, parts: _found_by("", pcare_lists.ALLERGIES[parts[0]], "kdAllergi", "nmAllergi")
        ),
    ),
    ("GET", r"provider/\d+/\d+", _codes(pcare_lists.PROVIDERS, "kdProvider", "nmProvider")),
    ("GET", "spesialis", _codes(pcare_lists.SPECIALISTS, "kdSpesialis", "nmSpesialis")),
    ("GET", "spesialis/sarana", _codes(pcare_lists.MEANS, "kdSarana", "nmSarana")),
    ("GET", r"spesialis/([A-Z]+)/subspesialis", _found(_subspecialists)),
    (
        "GET",
        r"spesialis/rujuk/subspesialis/([^/]+)/sarana/([^/]+)/tglEstRujuk/([^/]+)",
        _found(lambda books, parts: books.facilities(*parts)),
    ),
    ("GET", r"tindakan/kdTkp/\d+/\d+/\d+", _codes(pcare_lists.PROCEDURES, "kdTindakan", "nmTindakan")),
)
"""Method, path, and what it does."""
QUEUE_CALLS: tuple[tuple[str, str, Call], ...] = (
    (
        "GET",
        r"ref/poli/tanggal/\d{4}-\d{2}-\d{2}",
        _found(lambda _books, _parts: _polis("kodepoli", "namapoli")),
    ),
    (
        "GET",
        r"ref/dokter/kodepoli/([^/]+)/tanggal/([^/]+)",
        _found(lambda books, parts: books.doctors(*parts)),
    ),
    ("POST", "antrean/add", _done(lambda books, body, _parts: books.add(body))),
    ("POST", "antrean/panggil", _done(lambda books, body, _parts: books.call(body))),
    ("POST", "antrean/batal", _done(lambda books, body, _parts: books.cancel(body))),
)
"""The same of the queue's service, which has another path and user key."""
QUEUE_PATH = "/antreanfktp/"


def queue_settings_for(url: str) -> dict[str, Any]:
    """Return the settings of a clinic that also tells a stand-in's queue.

    Args:
        url: Where the stand-in's P-Care is.
    """
    base = url.rpartition("/")[0]
    return {"bpjs_queue_url": base + QUEUE_PATH.rstrip("/"), "bpjs_queue_user_key": QUEUE_USER_KEY}


def settings_for(url: str, keys: Keys) -> dict[str, Any]:
    """Return the settings of a clinic that asks a stand-in.

    Args:
        url: Where it is.
        keys: The clinic's keys there.
    """
    return {
        "bpjs_url": url,
        "bpjs_consumer_id": keys.consumer_id,
        "bpjs_secret": keys.secret,
        "bpjs_user_key": keys.user_key,
        "bpjs_username": keys.username,
        "bpjs_password": keys.password,
        "bpjs_provider": pcare_lists.OWN_PROVIDER,
    }


class QuietServer(ThreadingHTTPServer):
    """A server that says nothing of clients that went away."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over a connection that broke."""


class PcareHost:
    """One service on a port; `mischief` and `share` say what goes wrong with the next requests."""

    def __init__(self, books: Books, keys: Keys = DEMO_KEYS, *, port: int = 0, seed: int = 0) -> None:
        self.books = books
        self.queue = QueueBooks(lambda: self.books.now())
        self.keys = keys
        self.mischief: deque[str] = deque()
        """Faults of the next requests, one each."""
        self.share = 0.0
        """Share of requests that meet a fault by chance."""
        self.faults: tuple[str, ...] = FAULTS
        """The faults that come by chance."""
        self.delay = 0.0
        """Seconds before each answer."""
        self.failing: set[str] = set()
        """Cards at whose bodies the service fails each time."""
        self.is_down = False
        """True if every request is lost."""
        self.met: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        """Method and first word of the path -> how many were done."""
        self.changes: list[str] = []
        """Method and first word of the path of each change that was done, in order."""
        self._chance = random.Random(seed)  # noqa: S311  # no secret
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body go in one piece: in two, the second waits 40 ms for the first one's receipt.
            wbufsize = -1

            def do_GET(self) -> None:
                owner._serve(self)

            do_POST = do_PUT = do_DELETE = do_GET

            def log_message(self, *_: object) -> None:
                """Log nothing: paths hold card numbers."""

        self._server = QuietServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/pcare-rest"
        threading.Thread(target=self._server.serve_forever, args=(LOOK_SECONDS,), daemon=True).start()

    def settings(self) -> dict[str, Any]:
        """Return the settings of a clinic that asks this service."""
        return settings_for(self.url, self.keys)

    def queue_settings(self) -> dict[str, Any]:
        """Return the settings by which the clinic tells the queue too."""
        return queue_settings_for(self.url)

    def close(self) -> None:
        """Stop answering."""
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        raw = request.rfile.read(int(request.headers.get("content-length") or 0))
        with self._lock:
            fault = self._fault() or self._failure_at(raw)
            self.met[fault or "none"] += 1
        if self.delay:
            self._stopping.wait(self.delay)
        if fault in NOT_DONE:
            _spoil(request, fault)
            return
        with self._lock:
            status, body = self._answer(request, raw)
        if fault is not None:
            _spoil(request, fault, body)
            return
        self._send(request, status, body, "application/json")

    def _fault(self) -> str | None:
        if self.is_down:
            return "lose_request"
        if self.mischief:
            return self.mischief.popleft()
        return self._chance.choice(self.faults) if self._chance.random() < self.share else None

    def _failure_at(self, raw: bytes) -> str | None:
        return "error_500" if any(card.encode() in raw for card in self.failing) else None

    def _send(self, request: BaseHTTPRequestHandler, status: int, body: bytes, kind: str) -> None:
        request.send_response_only(status)
        request.send_header("Date", format_datetime(self.books.now()).replace("+0000", "GMT"))
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _answer(self, request: BaseHTTPRequestHandler, raw: bytes) -> tuple[int, bytes]:
        timestamp = request.headers.get("X-timestamp", "")
        facts = self.books.facts
        is_queue = request.path.startswith(QUEUE_PATH)
        try:
            self._require_user(request, timestamp, is_queue=is_queue)
            code, response = self._do(request, raw, is_queue=is_queue)
            code = facts.queue_success if is_queue else code
            message = "CREATED" if code == 201 else "OK"
            if isinstance(response, list) and code == 200 and not facts.bare_lists:
                response = {"count": len(response), "list": response}
            sealed: Any = None if response is None else self.keys.encrypt(response, int(timestamp))
        except PcareRefusal as refusal:
            code, message, sealed = refusal.code, refusal.message, refusal.fields or None
            if sealed is not None and facts.refusals_are_encrypted:
                sealed = self.keys.encrypt(sealed, int(timestamp))
        envelope = {"response": sealed, facts.spelling: {"code": code, "message": message}}
        # A body must not stand under 204; BPJS answers 200 there.
        status = code if facts.http_status_follows and code not in {1, 204} else 200
        return status, json.dumps(envelope).encode()

    def _require_user(self, request: BaseHTTPRequestHandler, timestamp: str, *, is_queue: bool) -> None:
        if not timestamp.isdigit():
            raise PcareRefusal(401, "X-timestamp tidak ada")
        if abs(int(timestamp) - self.books.now().timestamp()) > CLOCK_SECONDS:
            raise PcareRefusal(401, "Timestamp kedaluwarsa")
        keys = replace(self.keys, user_key=QUEUE_USER_KEY) if is_queue else self.keys
        for name, value in keys.headers(int(timestamp)).items():
            if is_queue and name == "X-authorization" and name not in request.headers:
                continue  # some clients leave it out
            if name != "Accept" and not hmac.compare_digest(request.headers.get(name, ""), value):
                raise PcareRefusal(401, f"Unauthorized: {name}")

    def _do(self, request: BaseHTTPRequestHandler, raw: bytes, *, is_queue: bool) -> tuple[int, Any]:
        path = unquote(request.path.removeprefix(QUEUE_PATH if is_queue else "/pcare-rest/"))
        body = self._body(request, raw) if request.command in {"POST", "PUT"} else None
        for method, pattern, call in QUEUE_CALLS if is_queue else CALLS:
            found = re.fullmatch(pattern, path)
            if method == request.command and found is not None:
                done = call(self.queue if is_queue else self.books, body, found.groups())
                name = f"{method} {path.partition('/')[0]}"
                self.calls[name] += 1
                if method != "GET":
                    self.changes.append(name)
                return done
        raise PcareRefusal(404, "Service tidak ditemukan")

    def _body(self, request: BaseHTTPRequestHandler, raw: bytes) -> Any:
        kind = (request.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
        wanted = None if request.path.startswith(QUEUE_PATH) else self.books.facts.content_type
        if kind not in CONTENT_TYPES or (wanted is not None and kind != wanted):
            raise PcareRefusal(415, "Content-Type tidak didukung")
        try:
            document = json.loads(raw)
        except ValueError:
            raise PcareRefusal(400, "Body bukan JSON") from None
        if not isinstance(document, dict):
            raise PcareRefusal(400, "Body bukan objek")
        return document


def _spoil(request: BaseHTTPRequestHandler, fault: str, body: bytes = b"") -> None:
    """Answer with a gateway's page, or not at all."""
    request.close_connection = True
    page = b"<html><h1>502 Bad Gateway</h1></html>" if fault == "html" else b"upstream connect error"
    if fault == SILENT:
        request.rfile.read(1)  # until the one who asks gives up
        return
    if fault in {"lose_request", "lose_answer"}:
        return
    if fault == "cut":
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        request.wfile.write(head.encode() + body[: len(body) // 2])
        return
    status = 502 if fault == "html" else 500
    request.send_response_only(status)
    request.send_header("Content-Type", "text/html")
    request.send_header("Content-Length", str(len(page)))
    request.send_header("Connection", "close")
    request.end_headers()
    request.wfile.write(page)
