from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest

from monitors.config import Credentials, SiteSettings
from monitors.errors import ConfigError
from monitors.sites import SITES

PAIR = Credentials("first-secret", "second-secret")


def test_the_keys_are_there_for_whoever_asks_by_name() -> None:
    assert (PAIR.api_key, PAIR.app_key) == ("first-secret", "second-secret")


@pytest.mark.parametrize("show", [repr, str, format, lambda pair: f"{pair!s:>60}", lambda pair: f"{[pair]}"])
def test_no_way_of_printing_shows_a_key(show: object) -> None:
    assert "secret" not in show(PAIR)  # type: ignore[operator]  # a list of callables of different kinds


def test_settings_around_the_pair_show_no_key_either() -> None:
    settings = SiteSettings(SITES["US5"], PAIR, 1)
    assert "secret" not in repr(settings)
    assert "secret" not in repr(dataclasses.asdict(settings))


def test_there_is_no_dict_to_look_into() -> None:
    with pytest.raises(TypeError):
        vars(PAIR)


def test_a_pair_is_never_pickled() -> None:
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(PAIR)


def test_copies_are_the_pair_itself() -> None:
    assert copy.copy(PAIR) is PAIR
    assert copy.deepcopy(PAIR) is PAIR


def test_pairs_are_equal_by_their_keys() -> None:
    assert Credentials("first-secret", "second-secret") == PAIR
    assert hash(Credentials("first-secret", "second-secret")) == hash(PAIR)
    assert Credentials("first-secret", "other") != PAIR
    assert PAIR != ("first-secret", "second-secret")


@pytest.mark.parametrize(
    ("api_key", "app_key", "message"),
    [
        ("", "b", "the API key is empty"),
        ("a", "", "the application key is empty"),
        ("a\nX: 1", "b", "the API key has whitespace at character 2 of 6"),
        ("a", "b\0c", "the application key has something other than printable ASCII at character 2 of 3"),
        ("a", "ö", "the application key has something other than printable ASCII at character 1 of 1"),
        ("a\u00a0", "b", "the API key has whitespace at character 2 of 2"),
    ],
)
def test_a_key_that_cannot_stand_in_a_header_is_refused(api_key: str, app_key: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Credentials(api_key, app_key)
    assert str(caught.value) == f"{message}; a key is printable ASCII without spaces or line ends"
