"""Addresses as settings: checked without a look at the network, shown without their passwords."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from workflow_service.config.kinds import shortened

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._%-]+)(:[0-9]{1,5})?\Z")
_LARGEST_PORT = 65535


@dataclass(frozen=True, kw_only=True)
class Url:
    """The address of a server."""

    schemes: tuple[str, ...]
    hostless: tuple[str, ...] = ()
    """Those of the schemes that need no host."""
    several: bool = False
    """Whether it may name several servers: hosts separated by ``,``, or whole addresses by ``;``."""

    @property
    def allowed(self) -> str:
        """The schemes."""
        return f"an address that starts with {' or '.join(f'{scheme}://' for scheme in self.schemes)}"

    def read(self, given: object) -> str:
        """Return the address; one that paths are appended to without a slash at its end."""
        if not isinstance(given, str) or not given.isprintable() or " " in given:
            raise ValueError("not an address")
        for address in given.split(";") if self.several else [given]:
            self._check(urlsplit(address))
        return given.rstrip("/") if given.startswith("http") else given

    def show(self, given: object) -> str:
        """Show it without what may be a password: all before the last ``@``, all after a ``?`` or ``#``."""
        credentials, at, rest = str(given).rpartition("@")
        return shortened(f"{'***' if credentials else ''}{at}{re.split('[?#]', rest)[0]}")

    def _check(self, address: SplitResult) -> None:
        if address.scheme not in self.schemes:
            raise ValueError("not such a scheme")
        if address.scheme.startswith("http") and (address.query or address.fragment):
            raise ValueError("paths are appended to it")
        if address.scheme not in self.hostless:
            hosts = address.netloc.rpartition("@")[2]
            for host in hosts.split(",") if self.several else [hosts]:
                _check_host(host)


def _check_host(host: str) -> None:
    found = _HOST.match(host)
    if not found or not 0 < int((found[2] or ":1")[1:]) <= _LARGEST_PORT:
        raise ValueError("not a host, or not a port")
