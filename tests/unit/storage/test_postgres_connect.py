"""Connections to PostgreSQL: migrated once, bounded in time, replaced when they break."""

import threading
import time

import psycopg
import pytest

from bascule.config.postgres import address_problem
from bascule.model.errors import StoreError
from bascule.storage.postgres.connect import PostgresDatabase, PostgresLimits
from bascule.storage.postgres.migrate import migrate, migrations, open_database, schema_version


def put(database: PostgresDatabase, name: str) -> None:
    with database.transaction() as connection:
        connection.execute("INSERT INTO meta (name, value) VALUES (%s, '1')", (name,))


def names(database: PostgresDatabase) -> set[str]:
    with database.reading() as connection:
        return {name for (name,) in connection.execute("SELECT name FROM meta")} - {"store_id"}


def test_numbers_of_migrations_have_no_gap():
    assert [number for number, _, _ in migrations()] == list(range(1, len(migrations()) + 1))


def test_replicas_that_start_at_once_migrate_once(postgres):
    url = postgres.new_database(migrated=False)
    failed: list[StoreError] = []

    def start() -> None:
        try:
            open_database(url).close()
        except StoreError as error:
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    database = PostgresDatabase(url)
    assert schema_version(database) == len(migrations())
    with database.reading() as connection:
        assert connection.execute("SELECT count(*) FROM schema_versions").fetchone() == (len(migrations()),)
    database.close()


def test_step_by_step_is_the_same_schema(postgres):
    columns = "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
    found = []
    for steps in (range(1, len(migrations()) + 1), [None]):
        database = PostgresDatabase(postgres.new_database(migrated=False))
        for step in steps:
            migrate(database, step)
        with database.reading() as connection:
            found.append(sorted(connection.execute(columns).fetchall()))
        database.close()
    assert found[0] == found[1] != []


def test_a_database_of_a_newer_program_is_refused(postgres_url):
    database = open_database(postgres_url)
    with database.transaction() as connection:
        connection.execute("INSERT INTO schema_versions VALUES (999, 'from the future')")
    with pytest.raises(StoreError, match=r"schema version 999.*Upgrade bascule"):
        migrate(database)
    database.close()


def test_a_change_is_whole_or_nothing(postgres_url):
    database = open_database(postgres_url)

    def fail() -> None:
        with database.transaction() as connection:
            connection.execute("INSERT INTO meta VALUES ('half', '1')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    put(database, "whole")
    assert names(database) == {"whole"}
    database.close()


def test_a_reading_does_not_move_and_writes_nothing(postgres_url):
    database = open_database(postgres_url)
    with database.reading() as connection:
        put(database, "later")
        assert connection.execute("SELECT count(*) FROM meta WHERE name = 'later'").fetchone() == (0,)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("INSERT INTO meta VALUES ('no', '1')")
    assert names(database) == {"later"}
    database.close()


def test_broken_connections_are_replaced(postgres_url):
    database = open_database(postgres_url)
    for _ in range(2):
        with database.reading() as one, database.reading() as other:
            pids = [one.info.backend_pid, other.info.backend_pid]
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        for pid in pids:
            admin.execute("SELECT pg_terminate_backend(%s)", (pid,))
    put(database, "after")
    assert names(database) == {"after"}
    database.close()


def test_connections_have_a_bound_and_who_waits_is_told(postgres_url):
    limits = PostgresLimits(max_connections=1, statement_timeout_s=0.2)
    database = PostgresDatabase(postgres_url, limits)
    with database.reading(), pytest.raises(StoreError, match=r"all 1 connections.*postgres\.max_connections"):
        put(database, "no room")
    put(database, "room")
    assert names(database) == {"room"}
    database.close()


def test_a_statement_that_takes_too_long_is_ended_by_the_server(postgres_url):
    database = PostgresDatabase(postgres_url, PostgresLimits(statement_timeout_s=0.2))
    with (
        pytest.raises(StoreError, match=r"statement timeout \(57014\).*statement_timeout_s"),
        database.transaction() as c,
    ):
        c.execute("SELECT pg_sleep(30)")
    put(database, "after")
    database.close()


def test_a_frozen_server_ends_every_wait_and_is_used_again(postgres, postgres_url):
    database = PostgresDatabase(postgres_url, PostgresLimits(connect_timeout_s=2, statement_timeout_s=0.3))
    put(database, "before")
    postgres.freeze()
    try:
        started_s = time.monotonic()
        with pytest.raises(StoreError, match=r"no answer within|timeout"):
            put(database, "frozen")
        with pytest.raises(StoreError, match=r"timeout.*See whether it runs"):
            put(database, "still frozen")
        assert time.monotonic() - started_s < 30
    finally:
        postgres.thaw()
    put(database, "after")
    assert {"before", "after"} <= names(database)
    database.close()


def test_what_is_not_known_of_a_commit_is_said(postgres_url):
    database = PostgresDatabase(postgres_url)

    def lose_the_answer() -> None:
        with psycopg.connect(postgres_url, autocommit=True) as admin, database.transaction() as connection:
            connection.execute("INSERT INTO meta VALUES ('maybe', '1')")
            admin.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
            time.sleep(0.1)

    with pytest.raises(StoreError, match="not known: look before you repeat it"):
        lose_the_answer()
    database.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://u@127.0.0.1:1/x", "See whether it runs"),
        ("no url at all", "no PostgreSQL URL"),
        ("postgresql://u:s3cret@127.0.0.1:1/x", "See whether it runs"),
    ],
)
def test_a_server_that_cannot_be_reached_is_named_without_secrets(url, said):
    with pytest.raises(StoreError, match=said) as error:
        open_database(url)
    assert "s3cret" not in str(error.value)


def test_a_database_that_is_not_there(postgres):
    with pytest.raises(StoreError, match=r"nowhere.*Create that database"):
        open_database(postgres.url("nowhere"))


@pytest.mark.parametrize(
    "text", ["env:PG_URL", "file:secrets/pg", "postgresql://u@h/db", "postgres:///db?host=/tmp", "postgresql://h:5432"]
)
def test_addresses(text):
    assert address_problem(text) is None


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("postgresql://u:s3cret@h/db", "env:NAME"),
        ("postgresql://u@h/db?password=s3cret", "PGPASSWORD"),
        ("mysql://u@h/s3cret", "postgresql://"),
        ("env:9s3cret", "env:NAME"),
        ("postgresql://u@h:s3cret/db", "5432"),
    ],
)
def test_addresses_that_are_refused_are_not_repeated(text, remedy):
    problem = address_problem(text)
    assert problem is not None
    assert remedy in problem[1]
    assert "s3cret" not in "".join(problem)
