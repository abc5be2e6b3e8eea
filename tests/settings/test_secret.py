"""A value that no log, message or table shows."""

from __future__ import annotations

import pprint

from rich.pretty import pretty_repr

from ticker.settings.secret import Secret


def test_a_secret_is_told_only_to_who_asks_for_it_by_name() -> None:
    """Neither to print nor to a debugger's eye, and its length to nobody."""
    secret = Secret("s3cret")
    shown = f"{secret} {secret!r} {secret!s:>20} {[secret]} {pprint.pformat([secret])} {pretty_repr([secret])}"
    assert "s3cret" not in shown
    assert (str(secret), repr(secret)) == ("**********", "Secret('**********')")
    assert str(Secret("s3cret" * 9)) == str(secret)
    assert secret.get_secret_value() == "s3cret"


def test_an_empty_secret_is_none() -> None:
    """A variable that is set to nothing is no key."""
    assert not Secret("")
    assert Secret("s3cret")
    assert not str(Secret(""))


def test_secrets_are_equal_by_what_they_hide() -> None:
    """A reload sees whether a key has changed."""
    assert Secret("a") == Secret("a")
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert Secret("a") != "a"
