"""The exact cache is bounded in number, bytes and age, whatever is put into it."""

from hypothesis import given
from hypothesis import strategies as st

from bascule.decide.fingerprint import Fingerprint
from bascule.gateway.cache import ExactCache, Stored
from bascule.model.catalog import Endpoint
from bascule.model.plan import Candidate
from bascule.model.usage import NO_USAGE

CANDIDATE = Candidate(
    model="m",
    reason="test",
    endpoint=Endpoint(id="a/m", provider="a", dialect="openai_chat", upstream_model="m"),
)


def asked(digest: bytes, content: bytes = b"") -> Fingerprint:
    return Fingerprint(digest, content)


def stored(raw: bytes, at_s: float = 0.0) -> Stored:
    return Stored(kind="reply", raw=raw, candidate=CANDIDATE, usage=NO_USAGE, stored_s=at_s)


def cache(entries: int = 100, size: int = 100, entry: int = 100, ttl_s: float = 10.0) -> ExactCache:
    return ExactCache(ttl_s=ttl_s, max_entries=entries, max_bytes=size, max_entry_bytes=entry)


def test_the_longest_unused_goes_first() -> None:
    kept = cache(entries=2)
    kept.put(asked(b"a"), stored(b"1"))
    kept.put(asked(b"b"), stored(b"2"))
    assert kept.get(asked(b"a"), 0.0) is not None
    kept.put(asked(b"c"), stored(b"3"))
    assert kept.get(asked(b"b"), 0.0) is None
    assert kept.get(asked(b"a"), 0.0) is not None
    assert len(kept) == 2


def test_an_entry_that_is_too_large_drives_nothing_out() -> None:
    kept = cache(size=10, entry=5)
    kept.put(asked(b"a"), stored(b"12345"))
    kept.put(asked(b"b"), stored(b"123456"))
    assert kept.get(asked(b"a"), 0.0) is not None
    assert kept.get(asked(b"b"), 0.0) is None


def test_it_is_too_old_after_its_time_and_not_before() -> None:
    kept = cache(ttl_s=10.0)
    kept.put(asked(b"a"), stored(b"1", at_s=5.0))
    assert kept.get(asked(b"a"), 15.0) is not None
    assert kept.get(asked(b"a"), 15.1) is None
    assert len(kept) == 0


def test_another_request_with_the_same_digest_is_no_hit_and_takes_the_place() -> None:
    kept = cache()
    kept.put(asked(b"a", b"one"), stored(b"1"))
    assert kept.get(asked(b"a", b"two"), 0.0) is None
    kept.put(asked(b"a", b"two"), stored(b"2"))
    assert kept.get(asked(b"a", b"one"), 0.0) is None
    assert kept.get(asked(b"a", b"two"), 0.0) is not None
    assert len(kept) == 1


def test_what_was_asked_counts_with_the_answer() -> None:
    kept = cache(size=20, entry=9)
    kept.put(asked(b"a", b"x" * 10), stored(b"1"))
    kept.put(asked(b"b", b"x" * 30), stored(b"2"))
    assert kept.get(asked(b"a", b"x" * 10), 0.0) is not None
    kept.put(asked(b"c", b"x" * 10), stored(b"3"))
    assert len(kept) == 1


def test_forgetting_everything_says_how_much_it_was() -> None:
    kept = cache()
    kept.put(asked(b"a"), stored(b"1"))
    kept.put(asked(b"b"), stored(b"2"))
    assert kept.clear() == 2
    assert kept.get(asked(b"a"), 0.0) is None


@given(st.lists(st.tuples(st.sampled_from(b"abcdef"), st.integers(0, 12), st.booleans()), max_size=60))
def test_no_order_of_puts_and_gets_breaks_its_bounds(acts: list[tuple[int, int, bool]]) -> None:
    kept = cache(entries=4, size=20, entry=9, ttl_s=3.0)
    last: dict[int, tuple[int, float]] = {}
    for now, (name, size, put) in enumerate(acts):
        key = asked(bytes([name]))
        if put:
            kept.put(key, stored(b"x" * size, at_s=float(now)))
            if size <= 9:
                last[name] = (size, float(now))
        found = kept.get(key, float(now))
        if found is not None:
            assert (len(found.raw), found.stored_s) == last[name]
            assert now - found.stored_s <= 3.0
        held = [
            entry for entry in (kept.get(asked(bytes([other])), float(now)) for other in b"abcdef") if entry is not None
        ]
        assert len(kept) <= 4
        assert sum(len(entry.raw) for entry in held) <= 20
