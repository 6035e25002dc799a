"""A shape is found by the letters that it cannot do without exactly where its pattern finds it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cassettes.redact.redactor import shapes
from cassettes.redact.sought import seek
from interlock.secret_shapes import Shape
from tests.cassettes.redact.planted import jwt, pem, provider_secrets

PATTERNS = {
    r"\b(sandbox-)?sq0c[a-z]{2}": (("sq0c",), 8),
    r"(sk|rk)_(test|live)_\w+": (("rk_live_", "rk_test_", "sk_live_", "sk_test_"), 0),
    r"gh[ps]_x|github_pat_": (("ghp_x", "ghs_x", "github_pat_"), 0),
    r"\d{8,10}:AA": ((":aa",), 10),
    r"[a-z]+": ((), 0),
    r"a*?bcd": ((), 0),
    r"(?:abc)?": ((), 0),
    r"(?<![A-Z])ey[JI]x": (("eyix", "eyjx"), 0),
    r"key-\d|\d+-x": ((), 0),
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_letters_of_a_pattern(pattern: str) -> None:
    sought = seek(Shape("x", re.compile(pattern)))
    assert (sought.needles, sought.lead) == PATTERNS[pattern]


def test_nearly_every_shape_has_letters() -> None:
    """Those without are tried everywhere, which costs."""
    assert [each.shape.rule for each in shapes() if not each.needles] == ["mailgun-api-key"]


pieces = st.sampled_from(
    [
        *provider_secrets().values(),
        jwt(),
        pem(),
        "://u:p@",
        "sk_",
        "_test_",
        "xox",
        "00",
        "-us1",
        "a",
        " ",
        "Q~",
        ":AA",
        "basic ",
    ]
)


@settings(deadline=None, max_examples=200)
@given(
    text=st.lists(pieces | st.text(max_size=5), max_size=6)
    .map("".join)
    .filter(lambda t: len(t.lower()) == len(t))
)
def test_it_finds_what_the_pattern_finds(text: str) -> None:
    for each in shapes():
        wanted = {match.span() for match in each.shape.pattern.finditer(text) if match[0]}
        assert {match.span() for match in each.matches(text, text.lower())} == wanted, each.shape.rule
