"""Names of the files of a clinic's own certificate authority; `certificates` makes and reads them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CertificateFiles:
    """Paths of the clinic's authority and of its server's certificate.

    Attributes:
        folder: Made with mode 0700; private keys have 0600.
    """

    folder: Path

    @property
    def authority(self) -> Path:
        """The authority's certificate: what counters keep."""
        return self.folder / "ca.pem"

    @property
    def authority_key(self) -> Path:
        """Its private key."""
        return self.folder / "ca.key"

    @property
    def server(self) -> Path:
        """The server's certificate, and the authority's after it."""
        return self.folder / "server.pem"

    @property
    def server_key(self) -> Path:
        """The server's private key."""
        return self.folder / "server.key"
