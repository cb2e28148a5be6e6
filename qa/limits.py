"""How often something may be tried: a sliding window for each key, and which address a request really came from.

Keys may be addresses and names: they are kept as hashes whose key lives in this process alone, and written nowhere.
"""

from __future__ import annotations

import secrets
import threading
import time
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from qa.errors import SettingsError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_MOST_KEYS = 10_000
_SHARED = 256
_SITE_BITS = 64  # what one home or office gets of IPv6; below it, one machine can take any address it likes
_LOCAL = "127.0.0.1"
_FORWARDED_ALLOW_IPS = "FORWARDED_ALLOW_IPS"


class Limiter:
    """At most `most` tries in any `seconds`, for each key. Safe to use from several threads.

    Memory is bounded, and no count makes room for another: beyond `most_keys` keys that have tries in the window, new
    keys share 256 counts, drawn by a hash that nobody outside can predict. So an attacker with very many addresses
    slows down other newcomers, but neither fills memory nor erases anybody's count.
    """

    def __init__(
        self,
        most: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        *,
        most_keys: int = _MOST_KEYS,
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._most_keys = most_keys
        self._secret = secrets.token_bytes(16)
        self._lock = threading.Lock()
        # The times of the tries of each key, oldest first; the key with the oldest latest try comes first.
        self._tries: OrderedDict[bytes, array[float]] = OrderedDict()
        self._shared: dict[int, array[float]] = {}
        self._latest = clock()

    def allows(self, key: str) -> bool:
        """Count a try and say whether it may be; one that may not be is not counted."""
        with self._lock:
            hashed, tries = self._live(key)
            if len(tries) >= self._most:
                return False
            tries.append(self._now())
            if hashed in self._tries:
                self._tries.move_to_end(hashed)
            return True

    def wait(self, key: str) -> float:
        """The seconds until a try is allowed; 0 when one is."""
        with self._lock:
            hashed, tries = self._live(key)
            if len(tries) < self._most:
                self._drop_empty(hashed)
                return 0.0
            return max(tries[len(tries) - self._most] + self._seconds - self._now(), 0.001)

    def give_back(self, key: str) -> None:
        """Take the latest try of a key back: it turned out not to be one that counts."""
        with self._lock:
            hashed, tries = self._live(key)
            if tries:
                tries.pop()
            self._drop_empty(hashed)

    def forget(self, key: str) -> None:
        """Take all tries of a key back. A count that it shares with others stays, but for the latest try."""
        with self._lock:
            hashed, tries = self._live(key)
            if self._tries.pop(hashed, None) is None and tries:
                tries.pop()

    def __len__(self) -> int:
        """How many counts are held."""
        return len(self._tries) + len(self._shared)

    def _live(self, key: str) -> tuple[bytes, array[float]]:
        """A key's hash and the times of its tries that still count. Forgets keys whose last try does no longer."""
        over = self._now() - self._seconds
        while self._tries and next(iter(self._tries.values()))[-1] <= over:
            self._tries.popitem(last=False)
        hashed = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16, key=self._secret).digest()
        tries = self._tries.get(hashed)
        if tries is None:
            tries = self._shared_by(hashed, over)
            if len(self._tries) < self._most_keys:
                # Its own count begins with what it shared: some of that may be its own.
                tries = self._tries[hashed] = tries[:]
        del tries[: bisect_right(tries, over)]
        return hashed, tries

    def _shared_by(self, hashed: bytes, over: float) -> array[float]:
        for number in [number for number, tries in self._shared.items() if not tries or tries[-1] <= over]:
            del self._shared[number]
        number = hashed[0] % _SHARED
        if len(self._tries) < self._most_keys:
            return self._shared.get(number, array("d"))
        return self._shared.setdefault(number, array("d"))

    def _now(self) -> float:
        """The clock's time, but never earlier than before: the times of tries stay in order."""
        self._latest = max(self._latest, self._clock())
        return self._latest

    def _drop_empty(self, hashed: bytes) -> None:
        if hashed in self._tries and not self._tries[hashed]:
            del self._tries[hashed]


def address_of(peer: str | None, forwarded_for: str | Sequence[str] | None, trusted_proxies: Sequence[Network]) -> str:
    """Where a request came from, as a key for a `Limiter`: an IPv4 address, or the first 64 bits of an IPv6 address.

    `peer` is what the server says (None for this machine), `forwarded_for` the `X-Forwarded-For` header, or all of them
    in their order. Only what trusted proxies have written counts: from the right, the first address that is no trusted
    proxy. Where that cannot be read, it is the peer.
    """
    entries = _entries(forwarded_for)
    address = source = _real_peer(peer, entries)
    for entry in reversed(entries):
        if not is_within(address, trusted_proxies):
            break
        named = _parse(entry)
        if named is None:
            return _key(source, peer)
        address = named
    return _key(address, peer)


def is_trusted_peer(
    peer: str | None, forwarded_for: str | Sequence[str] | None, trusted_proxies: Sequence[Network]
) -> bool:
    """Whether the request was handed over by a trusted proxy. Arguments as in `address_of`."""
    return is_within(_real_peer(peer, _entries(forwarded_for)), trusted_proxies)


def is_within(address: Address | None, networks: Sequence[Network]) -> bool:
    """Whether an address lies in one of the networks; nothing does where it is unknown."""
    return address is not None and any(address in network for network in networks)


def refuse_rewritten_addresses(environment: Mapping[str, str]) -> None:
    """Raise SettingsError where the web server is told to believe more forwarding headers than it does by itself.

    `address_of` undoes what uvicorn does by default: it takes the word of this machine, and of no other.
    """
    if _FORWARDED_ALLOW_IPS in environment:
        raise SettingsError(
            f"the environment variable {_FORWARDED_ALLOW_IPS} would let visitors choose their address",
            expected="it not to be set",
            remedy="Unset it, and name your proxy in trusted_proxies in [limits] of clinic.toml.",
        )


def _entries(forwarded_for: str | Sequence[str] | None) -> list[str]:
    written = forwarded_for if isinstance(forwarded_for, str) else ",".join(forwarded_for or ())
    return [entry.strip() for entry in written.split(",")] if written.strip() else []


def _real_peer(peer: str | None, entries: Sequence[str]) -> Address | None:
    """Who is at the other end of the connection.

    uvicorn replaces a peer on this machine by the right-most entry that is not this machine. Where the peer is that
    entry, this machine is taken for the peer: it is trusted only if the settings say so.
    """
    local = ip_address(_LOCAL)
    if not peer:
        return local
    if entries:
        believed = next((entry for entry in reversed(entries) if not _is_local(_parse(entry))), entries[0])
        if _parse(believed) == _parse(peer):
            return local
    return _parse(peer)


def _is_local(address: Address | None) -> bool:
    return address is not None and str(address) in (_LOCAL, "::1")


def _parse(text: str) -> Address | None:
    """An address, with or without a port and brackets; one that IPv6 carries for IPv4 is that IPv4 address."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _key(address: Address | None, peer: str | None) -> str:
    if address is None:
        return f"unknown {peer}"
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _SITE_BITS), strict=False))
    return str(address)
