"""Bodies as trees: JSON as it is, XML by element name, and what stands at a pointer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock import trees
from interlock.wire import Answer


def tree(body: str | bytes) -> Any:
    return trees.tree(Answer(status=200, headers={}, body=body if isinstance(body, bytes) else body.encode()))


def test_xml_is_a_tree_without_namespaces() -> None:
    text = '<?xml version="1.0"?><a xmlns="urn:x"><b>1</b><c><d>x</d><d> y </d></c><e/></a>'
    assert tree(text) == {"a": {"b": "1", "c": {"d": ["x", "y"]}, "e": ""}}


@pytest.mark.parametrize(
    ("body", "pointer", "found"),
    [
        ({"a": [1, 2]}, "/a", [1, 2]),
        ({"a": {"b": 1}}, "/a", [{"b": 1}]),  # one XML element alone
        ({"a": ""}, "/a", []),  # an empty one
        ({"a": "x"}, "/a", None),
        ({}, "/a", None),
        ([3], "", [3]),
    ],
)
def test_a_list_is_a_list_however_it_is_written(body: Any, pointer: str, found: Any) -> None:
    assert trees.members(pointer, body) == found


def test_each_member_is_told_with_its_value() -> None:
    body = {"items": [{"n": "a", "s": 1}, {"n": "b"}]}
    assert list(trees.each("/items/*/s", body)) == [({"n": "a", "s": 1}, 1), ({"n": "b"}, None)]
    assert list(trees.each("/items/0/n", body)) == [(body, "a")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a>",
        b"not JSON",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b"[" * 100_000,
        b"<a>" * 200_000,
    ],
    ids=["empty", "unclosed", "text", "entities", "deep JSON", "deep XML"],
)
def test_what_is_neither_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        tree(body)


@given(st.recursive(st.none() | st.booleans() | st.text() | st.integers(), st.lists))
def test_json_comes_back_as_it_was(body: Any) -> None:
    assert tree(json.dumps(body)) == body
