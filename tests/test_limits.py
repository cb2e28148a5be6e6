from __future__ import annotations

import itertools
import threading
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from qa.errors import SettingsError
from qa.limits import Limiter, address_of, is_trusted_peer, refuse_rewritten_addresses

PROXY = [ip_network("10.0.0.0/28")]
HERE = [ip_network("127.0.0.1"), ip_network("::1")]


class Hands:
    """A clock whose hands are set by the test."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


# Limits.


def test_no_more_than_so_many_tries_pass() -> None:
    """The try after the last one allowed is refused, and another key is not concerned."""
    limiter = Limiter(3, 60, Hands())
    assert [limiter.allows("one") for _ in range(5)] == [True, True, True, False, False]
    assert limiter.allows("another")


def test_a_try_counts_for_so_many_seconds() -> None:
    """A try is free again when the first one is as old as the window, and refused tries have not made it longer."""
    hands = Hands()
    limiter = Limiter(2, 60, hands)
    for hands.now in (0.0, 30.0):
        assert limiter.allows("one")
    for hands.now in (31.0, 59.0):
        assert not limiter.allows("one")
    hands.now = 60.0
    assert limiter.allows("one")
    assert not limiter.allows("one")


@given(
    most=st.integers(1, 5),
    steps=st.lists(st.tuples(st.floats(0, 40), st.sampled_from("abc")), max_size=80),
)
def test_no_window_holds_more_than_the_limit(most: int, steps: list[tuple[float, str]]) -> None:
    """Whenever tries are made, no stretch of the window's length holds more allowed ones of a key than the limit."""
    hands = Hands()
    limiter = Limiter(most, 60, hands)
    allowed: dict[str, list[float]] = {}
    for pause, key in steps:
        hands.now += pause
        expected = limiter.wait(key) == 0.0
        assert limiter.allows(key) is expected
        if expected:
            allowed.setdefault(key, []).append(hands.now)
    for times in allowed.values():
        for first, last in zip(times, times[most:], strict=False):
            assert last - first >= 60


@given(steps=st.lists(st.tuples(st.floats(0, 20), st.integers(0, 30)), max_size=100))
def test_a_full_table_stays_small_and_refuses_what_it_must(steps: list[tuple[float, int]]) -> None:
    """With more keys than there is room for, no key gets more than its limit and the table does not grow."""
    hands = Hands()
    limiter = Limiter(2, 60, hands, most_keys=3)
    allowed: dict[int, list[float]] = {}
    for pause, number in steps:
        hands.now += pause
        if limiter.allows(f"key {number}"):
            allowed.setdefault(number, []).append(hands.now)
        assert len(limiter) <= 3 + 256
    for times in allowed.values():
        for first, last in zip(times, times[2:], strict=False):
            assert last - first >= 60


def test_many_other_keys_do_not_erase_a_count() -> None:
    """Somebody who has used up their tries does not get new ones by sending tries under many other keys."""
    limiter = Limiter(2, 60, Hands(), most_keys=50)
    assert [limiter.allows("victim") for _ in range(3)] == [True, True, False]
    for number in range(5000):
        limiter.allows(f"invented {number}")
    assert not limiter.allows("victim")
    assert len(limiter) <= 50 + 256


def test_there_is_room_again_when_the_window_is_over() -> None:
    """Once the tries of a flood are too old to count, everybody has a count of their own again."""
    hands = Hands()
    limiter = Limiter(1, 60, hands, most_keys=5)
    for number in range(2000):
        limiter.allows(f"invented {number}")
    hands.now = 61.0
    assert all(limiter.allows(f"newcomer {number}") for number in range(5))
    assert len(limiter) == 5


def test_the_wait_is_as_long_as_it_takes() -> None:
    """`wait` gives the seconds after which a try passes, and 0 where one does already; asking counts nothing."""
    hands = Hands()
    limiter = Limiter(1, 60, hands)
    assert limiter.wait("one") == 0.0
    assert len(limiter) == 0
    limiter.allows("one")
    hands.now = 12.5
    assert limiter.wait("one") == 47.5
    hands.now += limiter.wait("one")
    assert limiter.allows("one")


def test_tries_can_be_taken_back() -> None:
    """`give_back` frees one try and `forget` all of a key, of nobody else, and neither needs one to be there."""
    limiter = Limiter(2, 60, Hands())
    for key in ("one", "one", "other", "other"):
        assert limiter.allows(key)
    limiter.give_back("one")
    assert [limiter.allows("one") for _ in range(2)] == [True, False]
    limiter.forget("one")
    assert [limiter.allows("one") for _ in range(3)] == [True, True, False]
    limiter.forget("nobody")
    limiter.give_back("nobody")
    assert not limiter.allows("other")


def test_a_shared_count_is_not_forgotten() -> None:
    """Where newcomers share counts, forgetting one of them gives back a single try and not everybody's."""
    limiter = Limiter(300, 60, Hands(), most_keys=0)
    for number in range(600):
        assert limiter.allows(f"newcomer {number}")
    before = sum(len(tries) for tries in limiter._shared.values())
    limiter.forget("newcomer 0")
    assert sum(len(tries) for tries in limiter._shared.values()) == before - 1


def test_a_clock_that_goes_back_frees_nothing() -> None:
    """Tries stay counted when the clock goes back."""
    hands = Hands()
    hands.now = 1000.0
    limiter = Limiter(1, 60, hands)
    limiter.allows("one")
    hands.now = 0.0
    assert not limiter.allows("one")


def test_threads_get_no_more_than_the_limit_together() -> None:
    """Tries from several threads at once are counted one by one."""
    limiter = Limiter(100, 60)
    allowed = itertools.count()

    def hammer() -> None:
        for _ in range(200):
            if limiter.allows("one"):
                next(allowed)

    threads = [threading.Thread(target=hammer) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert next(allowed) == 100


def test_a_key_is_kept_as_a_hash() -> None:
    """Neither an address nor a name stands in a limiter's memory, and two limiters hash it differently."""
    one, other = Limiter(1, 60), Limiter(1, 60)
    for limiter in (one, other):
        limiter.allows("203.0.113.7")
        assert b"203.0.113.7" not in b"".join(limiter._tries)
    assert one._tries.keys() != other._tries.keys()


# Addresses.


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.7", None, "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),  # a visitor who says to be somebody else
        ("10.0.0.5", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.5", "1.1.1.1, 198.51.100.1", "198.51.100.1"),  # all but the last is what the visitor wrote
        ("10.0.0.6", "198.51.100.1, 10.0.0.5", "198.51.100.1"),  # two proxies in a row
        ("10.0.0.5", ["1.1.1.1", "198.51.100.1"], "198.51.100.1"),  # the header twice
        ("10.0.0.5", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.5", "[2001:db8:1:2:3::9]:4711", "2001:db8:1:2::/64"),
        ("10.0.0.5", None, "10.0.0.5"),
        ("10.0.0.5", "", "10.0.0.5"),
        ("10.0.0.5", "nonsense", "10.0.0.5"),
        ("10.0.0.5", "198.51.100.1, nonsense", "10.0.0.5"),
        ("10.0.0.5", "nonsense, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.5", "198.51.100.1,", "10.0.0.5"),
        ("10.0.0.6", "10.0.0.5", "10.0.0.5"),
        ("10.0.0.5", "198.51.100.1, 10.0.0.5", "127.0.0.1"),  # the server may have put the visitor's word here
        ("::ffff:203.0.113.7", None, "203.0.113.7"),
        ("2001:db8:1:2:aaaa::1", None, "2001:db8:1:2::/64"),
        ("fe80::1%eth0", None, "fe80::/64"),
        (None, None, "127.0.0.1"),
    ],
)
def test_only_a_trusted_proxy_says_who_asks(peer: str | None, forwarded: str | list[str] | None, address: str) -> None:
    """It is the right-most address that is no trusted proxy; what cannot be read, and what others write, is ignored."""
    assert address_of(peer, forwarded, PROXY) == address


def as_uvicorn_says(peer: str, forwarded: str | None) -> str:
    """The client that uvicorn's default middleware reports for a connection from `peer`."""
    seen: list[str] = []

    async def app(scope, receive, send) -> None:  # noqa: ANN001, ARG001 - ASGI's own signature
        seen.append(scope["client"][0])

    headers = [] if forwarded is None else [(b"x-forwarded-for", forwarded.encode("latin-1"))]
    middleware = ProxyHeadersMiddleware(app, trusted_hosts="127.0.0.1,::1")
    coroutine = middleware({"type": "http", "client": (peer, 1), "headers": headers}, None, None)  # type: ignore[arg-type] # the app uses neither
    with pytest.raises(StopIteration):
        coroutine.send(None)
    return seen[0]


ADDRESSES = st.sampled_from(["127.0.0.1", "::1", "10.0.0.5", "198.51.100.1", "203.0.113.7", "2001:db8::1", "x", ""])


@given(peer=st.sampled_from(["127.0.0.1", "::1"]), entries=st.lists(ADDRESSES, min_size=1, max_size=4))
def test_the_server_rewriting_the_peer_changes_nothing(peer: str, entries: list[str]) -> None:
    """With a proxy on this machine the address is what that proxy wrote last, wherever the server puts it."""
    forwarded = ", ".join(entries)
    reported = as_uvicorn_says(peer, forwarded)
    last = next((entry for entry in reversed(entries) if entry not in ("127.0.0.1", "::1")), entries[0])
    readable = last not in ("x", "")
    found = address_of(reported, forwarded, HERE)
    if last in ("127.0.0.1", "::1") or not readable:
        assert found in ("127.0.0.1", "::/64")
    else:
        assert found == address_of(last, None, [])


@given(peer=st.sampled_from(["127.0.0.1", "203.0.113.7", "2001:db8::1"]), entries=st.lists(ADDRESSES, max_size=4))
def test_without_a_trusted_proxy_nobody_gets_another_address(peer: str, entries: list[str]) -> None:
    """Whatever a visitor writes into the header, their address is their own, or that of this machine."""
    forwarded = ", ".join(entries) if entries else None
    assert address_of(as_uvicorn_says(peer, forwarded), forwarded, []) in (address_of(peer, None, []), "127.0.0.1")


def test_a_visitor_cannot_stand_behind_a_local_proxy_that_is_trusted() -> None:
    """Somebody who reaches the server past its own proxy cannot borrow the proxy's word for another address."""
    assert address_of("203.0.113.7", "203.0.113.7, 198.51.100.1", HERE) == "203.0.113.7"


def test_a_trusted_peer_is_the_proxy_itself() -> None:
    """Only what a trusted proxy handed over counts as such, also where the server has put the visitor in its place."""
    assert is_trusted_peer("10.0.0.5", "198.51.100.1", PROXY)
    assert not is_trusted_peer("198.51.100.1", None, PROXY)
    assert is_trusted_peer("198.51.100.1", "198.51.100.1", HERE)
    assert not is_trusted_peer("203.0.113.7", "198.51.100.1", HERE)


def test_the_server_may_not_be_told_to_believe_more() -> None:
    """The app does not start where the environment makes the web server believe headers from elsewhere."""
    refuse_rewritten_addresses({})
    with pytest.raises(SettingsError, match="trusted_proxies"):
        refuse_rewritten_addresses({"FORWARDED_ALLOW_IPS": "*"})
