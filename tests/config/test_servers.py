from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from monitors.config import STORE_VARIABLE, load
from monitors.config.effective import effective
from monitors.config.servers import server_url
from monitors.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

FORMS = (
    "postgresql://me:{}@db.example.org:5432/monitor",
    "postgresql://me:{}@[::1]/monitor?sslmode=require",
    "postgres://me:{}@db",
    "postgresql+psycopg://:{}@127.0.0.1:1/x",
    "postgresql://{}@db/x",
    "postgresql://db:1/x?password={}",
    "postgresql://db/x?user=me&password={}&sslmode=require",
    "postgresql://db/x?sslpassword={}",
    "postgresql://db/x?password=a&password={}",
    "postgresql://db/x?{}",
    "postgresql://me:a@b:{}@db/x",
    "postgresql://me:{}@db/x?password={}",
    "postgresql://me:{}@",
    "postgresql:me:{}@db/x",
    "me:{}@db/x",
    "//me:{}@db/x",
    "mysql://me:{}@db/x",
    "sqlite://me:{}@db/x",
    "postgresql://me:{}@db:port/x",
    "postgresql://me:{}@/x",
)
SECRET = st.builds("".join, st.tuples(st.text(st.characters(codec="utf-8"), max_size=6), st.just("pwSECRET"),
                                      st.text("@/?#&=%:[]+ \t\0é-.", max_size=6)))  # fmt: skip


def test_what_is_shown_is_where_it_is_and_nothing_of_who() -> None:
    found = server_url("postgres://me:secret@db.example.org:5432/monitor?sslmode=require&password=x")
    assert found is not None
    assert found.shown == "postgresql://db.example.org:5432/monitor"
    assert found.masked == "postgresql+psycopg://***@db.example.org:5432/monitor?***"
    assert found.text == "postgresql+psycopg://me:secret@db.example.org:5432/monitor?sslmode=require&password=x"
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("url", "shown", "masked"),
    [
        ("postgresql://me@/x?host=/run/pg", "/x?host=/run/pg", "***@/x?host=/run/pg"),
        ("postgresql:///x?host=/run/pg&user=me", "/x?host=/run/pg", "/x?host=/run/pg&***"),
        ("postgresql://me:pw@%2Frun%2Fpg:5433/x", ":5433/x?host=/run/pg", "***@:5433/x?host=/run/pg"),
        ("postgresql:///?host=%2Frun%2Fpg&dbname=x", "/?host=/run/pg", "/?host=/run/pg&***"),
        ("postgresql:///x", "/x", "/x"),
        ("postgresql:///x?host=/run/p;g", "/x", "/x?***"),
    ],
)
def test_of_a_socket_the_directory_is_shown(url: str, shown: str, masked: str) -> None:
    found = server_url(url)
    assert found is not None
    assert (found.shown, found.masked) == (f"postgresql://{shown}", f"postgresql+psycopg://{masked}")
    assert found.names_database


def test_an_at_sign_that_can_only_be_the_passwords_is_understood() -> None:
    found = server_url("postgresql://me:p@ss@w@db/x")
    assert found is not None
    assert (found.text, found.shown) == ("postgresql+psycopg://me:p%40ss%40w@db/x", "postgresql://db/x")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:p/w@db/x",
        "postgresql://me:p?w@db/x",
        "postgresql://me:12/x?w@db/x",
        "postgresql://me:p@ss/w@db/x",
        "postgresql://db/x?options=a@b",
        "postgresql://me:pw",
        "postgresql://me:pw@db /x",
        "postgresql://me:pw@db\n/x",
        "http://db/x",
        "",
    ],
)
def test_what_can_be_read_in_two_ways_is_not_guessed(url: str) -> None:
    assert server_url(url) is None


@pytest.mark.parametrize(
    ("url", "said", "scrubbed"),
    [
        ("postgresql://me:pw@db/x", 'authentication failed for user "me"', 'authentication failed for user "***"'),
        ("postgresql://db/x?user=me", 'role "me" does not exist', 'role "***" does not exist'),
        ("postgresql://me@db", 'database "me" does not exist', 'database "***" does not exist'),
        ("postgresql://x@db/x", 'database "x" does not exist', 'database "x" does not exist'),
        ("postgresql://me:a%20b@db/x", "no a b or a%20b", "no *** or ***"),
        ("postgresql://me:a@db/x", "a data base, and a", "*** data base, and ***"),
        ("postgresql://db/x?passwort=secret", 'invalid option "passwort"', 'invalid option "***"'),
        ("postgresql://db/x?sslmode=odd", 'invalid sslmode value: "odd"', 'invalid sslmode value: "odd"'),
    ],
)
def test_what_a_server_says_is_told_without_who_it_was_said_to(url: str, said: str, scrubbed: str) -> None:
    found = server_url(url)
    assert found is not None
    assert found.scrub(said) == scrubbed


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=SECRET, form=st.sampled_from(FORMS), where=st.sampled_from(["file", "variable"]))
@example(secret="pwSECRET", form="me:{}@db/x", where="file")
@example(secret="a@pwSECRET", form="postgresql://me:{}@db/x", where="variable")
def test_no_message_and_no_list_of_settings_shows_a_password_wherever_it_stands(
    secret: str, form: str, where: str, tmp_path: Path
) -> None:
    url = form.replace("{}", secret)
    file = tmp_path / "c.toml"
    if where == "file":
        escaped = "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in url)
        file.write_text(f'[store]\nurl = "{escaped}"\n')
    else:
        assume("\0" not in url)
        file.write_text("")
    try:
        found = load(file, {} if where == "file" else {STORE_VARIABLE: url}, ["US1"])
    except ConfigError as error:
        said = str(error)
    else:
        said = repr(found) + repr(list(effective(found)))
    assert "SECRET" not in said
