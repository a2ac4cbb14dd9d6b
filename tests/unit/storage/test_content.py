"""Recorded content at rest: sealed, found, ended, and gone when it is erased."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from bascule.config.privacy import Privacy
from bascule.config.secret import Secret
from bascule.model.content import Recording, Subject
from bascule.model.errors import StoreError
from bascule.model.idempotency import KeptReply
from bascule.storage.content.open import open_content, open_store
from bascule.storage.content.recorder import DAY_MS, ContentRecorder
from bascule.storage.content.vault import AesVault, NoVault
from bascule.storage.postgres.connect import PostgresDatabase
from bascule.storage.postgres.replies import PostgresReplies
from bascule.storage.sqlite.content import SqliteContent

OLD, NEW = Secret(b"old-key-0123456789abcdef0123456789"), Secret(b"new-key-0123456789abcdef0123456789")
CANARY = b"the-canary-sings-in-the-mine"
NOW_MS = 100 * DAY_MS
ONE = Recording(
    attempt_id="att_1.1",
    request_id="req_1",
    ts_ms=NOW_MS,
    user="ann",
    session_id="s1",
    status=200,
    request=b'{"say": "' + CANARY + b'"}',
    answer=CANARY * 100,
    request_bytes=40,
    answer_bytes=len(CANARY) * 100,
)
REPLY = KeptReply(digest=b"d", status=200, headers=((b"a", b"b"),), body=CANARY, streamed=False, until_ms=NOW_MS + 1)


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


@pytest.fixture(params=["sealed", "plain"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqliteContent]:
    made = SqliteContent(tmp_path, AesVault([NEW]) if request.param == "sealed" else NoVault())
    yield made
    made.close()


def test_what_is_recorded_is_found_by_its_request(store: SqliteContent) -> None:
    retry = structs.replace(ONE, attempt_id="att_1.2", status=None, answer=b"")
    store.record([retry, ONE, structs.replace(ONE, attempt_id="att_2.1", request_id="req_2")])
    store.record([ONE])
    assert store.of_request("req_1") == [ONE, retry]
    assert store.of_request("req_3") == []


def test_a_reply_is_found_until_its_time_is_over(store: SqliteContent) -> None:
    store.keep(b"n", REPLY, subject=Subject(), started_ms=NOW_MS)
    assert store.find(b"n", NOW_MS) == REPLY
    assert store.find(b"n", NOW_MS + 1) is None
    assert store.find(b"m", NOW_MS) is None


def test_replicas_share_their_replies_sealed_and_erase_them_together(tmp_path: Path, postgres_url: str) -> None:
    database = PostgresDatabase(postgres_url)
    shared = PostgresReplies(database)
    stores = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        stores.append(SqliteContent(tmp_path / name, AesVault([NEW]), shared))
    one, other = stores
    one.keep(b"n", REPLY, subject=Subject(user="ann", session_id="s1"), started_ms=NOW_MS)
    one.keep(b"n", REPLY, subject=Subject(user="ann", session_id="s1"), started_ms=NOW_MS)
    assert other.find(b"n", NOW_MS) == REPLY
    assert other.find(b"n", NOW_MS + 1) is None
    assert CANARY not in (shared.get(b"n", NOW_MS) or b"")
    assert (
        other.erase(Subject(user="bob"), at_ms=NOW_MS - 1),
        other.erase(Subject(session_id="s1"), at_ms=NOW_MS - 1),
    ) == (0, 1)
    assert one.find(b"n", NOW_MS) is None
    one.keep(b"m", REPLY, subject=Subject(), started_ms=NOW_MS)
    assert (one.end(before_ms=0, now_ms=NOW_MS), one.end(before_ms=0, now_ms=NOW_MS + 1)) == (0, 1)
    for store in stores:
        store.close()
    database.close()


def test_nothing_is_to_be_read_on_the_disk(tmp_path: Path) -> None:
    store = SqliteContent(tmp_path, AesVault([NEW]))
    store.record([ONE])
    store.keep(b"n", REPLY, subject=Subject(user="ann"), started_ms=NOW_MS)
    assert CANARY not in on_disk(tmp_path)
    store.close()
    assert CANARY not in on_disk(tmp_path)
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}


@pytest.mark.parametrize("subject", [Subject(user="ann"), Subject(session_id="s1")])
def test_what_is_erased_is_in_no_file_any_more_and_nothing_else_is_touched(tmp_path: Path, subject: Subject) -> None:
    store = SqliteContent(tmp_path, NoVault())
    others = structs.replace(ONE, attempt_id="att_9.1", request_id="req_9", user="bob", session_id="s2", request=b"9")
    others = structs.replace(others, answer=b"the others' own")
    store.record([ONE, others])
    store.keep(b"n", REPLY, subject=Subject(user="ann", session_id="s1"), started_ms=NOW_MS)
    assert CANARY in on_disk(tmp_path)
    assert store.erase(subject, at_ms=NOW_MS - 1) == 2
    assert CANARY not in on_disk(tmp_path)
    assert store.of_request("req_1") == []
    assert store.find(b"n", NOW_MS) is None
    assert store.of_request("req_9") == [others]
    assert store.erase(subject, at_ms=NOW_MS - 1) == 0
    store.close()


def test_what_began_before_an_erasure_is_not_written_after_it(tmp_path: Path) -> None:
    """By another process, which had it in its queue."""
    one, other = SqliteContent(tmp_path, NoVault()), SqliteContent(tmp_path, NoVault())
    assert one.erase(Subject(user="ann"), at_ms=NOW_MS) == 0
    later = structs.replace(ONE, attempt_id="att_2.1", ts_ms=NOW_MS + 1)
    bobs = structs.replace(ONE, attempt_id="att_3.1", user="bob")
    other.record([ONE, later, bobs])
    assert other.of_request("req_1") == [later, bobs]
    ann = Subject(user="ann", session_id="s1")
    other.keep(b"n", REPLY, subject=ann, started_ms=NOW_MS)
    assert other.find(b"n", NOW_MS) is None
    other.keep(b"n", REPLY, subject=ann, started_ms=NOW_MS + 1)
    assert other.find(b"n", NOW_MS) == REPLY
    one.end(before_ms=NOW_MS + 1, now_ms=NOW_MS)
    other.record([ONE])
    assert ONE in one.of_request("req_1"), "an erasure is not remembered for ever"
    one.close()
    other.close()


def test_rows_without_a_user_are_nobodys(store: SqliteContent) -> None:
    store.record([structs.replace(ONE, user=None)])
    assert store.erase(Subject(user="ann"), at_ms=NOW_MS - 1) == 0
    assert store.erase(Subject(session_id="s1"), at_ms=NOW_MS - 1) == 1


def test_an_earlier_key_still_opens_and_an_unknown_one_is_named(tmp_path: Path) -> None:
    before = SqliteContent(tmp_path, AesVault([OLD]))
    before.record([ONE])
    before.close()
    rotated = SqliteContent(tmp_path, AesVault([NEW, OLD]))
    rotated.record([structs.replace(ONE, attempt_id="att_2.1", request_id="req_2")])
    assert rotated.of_request("req_1") == [ONE]
    rotated.close()
    after = SqliteContent(tmp_path, AesVault([NEW]))
    assert len(after.of_request("req_2")) == 1
    with pytest.raises(StoreError, match="previous_content_keys"):
        after.of_request("req_1")
    after.close()


def test_a_changed_or_moved_text_does_not_open() -> None:
    vault = AesVault([NEW])
    sealed = vault.seal(b"text", b"att_1")
    assert vault.open(sealed, b"att_1") == b"text"
    assert vault.seal(b"text", b"att_1") != sealed
    for wrong, place in ((sealed[:-1] + bytes([sealed[-1] ^ 1]), b"att_1"), (sealed, b"att_2")):
        with pytest.raises(StoreError, match="changed since it was sealed"):
            vault.open(wrong, place)
    with pytest.raises(StoreError, match=r"encryption is off"):
        NoVault().open(sealed, b"att_1")


def test_what_is_too_old_ends_at_the_start(tmp_path: Path) -> None:
    content = open_content(Privacy(record_content="full", retention_days=30), [NEW], tmp_path, lambda: NOW_MS)
    assert content is not None
    content.store.record([structs.replace(ONE, ts_ms=NOW_MS - 30 * DAY_MS - 1), structs.replace(ONE, attempt_id="b")])
    content.store.keep(b"n", structs.replace(REPLY, until_ms=NOW_MS), subject=Subject(), started_ms=NOW_MS)
    content.recorder.start()
    assert [one.attempt_id for one in content.of_request("req_1")] == ["b"]
    assert content.store.find(b"n", 0) is None
    content.close()


def test_where_nothing_is_recorded_there_is_no_file_and_an_old_one_still_ends(tmp_path: Path) -> None:
    off = Privacy(record_content="none")
    assert open_store(off, [], tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    store = SqliteContent(tmp_path, AesVault([NEW]))
    store.record([structs.replace(ONE, ts_ms=0)])
    store.close()
    content = open_content(off, [], tmp_path, lambda: NOW_MS)
    assert content is not None
    content.recorder.start()
    assert content.store.of_request("req_1") == []
    content.close()


def recorder(store: SqliteContent, max_queue_bytes: int = 1_000_000) -> ContentRecorder:
    return ContentRecorder(
        store, max_recorded_bytes=1_000, max_queue_bytes=max_queue_bytes, retention_days=30, now_ms=lambda: NOW_MS
    )


def test_the_recorder_writes_in_its_own_time(store: SqliteContent) -> None:
    running = recorder(store)
    running.start()
    running.take(ONE)
    deadline_s = time.monotonic() + 10
    while not store.of_request("req_1"):
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    running.take(structs.replace(ONE, attempt_id="att_1.2"))
    running.close()
    assert len(store.of_request("req_1")) == 2


def test_what_the_disk_does_not_take_is_counted_and_nothing_raised(
    store: SqliteContent, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    full = recorder(store, max_queue_bytes=4_000)
    full.take(ONE)
    full.take(structs.replace(ONE, attempt_id="att_1.2"))
    assert full.dropped == 1
    with monkeypatch.context() as patched:
        patched.setattr(store, "record", lambda group: (_ for _ in ()).throw(StoreError("scripted: disk full")))
        full.flush()
    assert full.dropped == 2
    full.take(ONE)
    full.flush()
    assert len(store.of_request("req_1")) == 1
    assert caplog.text.count("recordings are dropped") == 1
