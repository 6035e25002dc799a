"""XML from outside: a document type is refused in every encoding, before an entity can be declared."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.contract import Media
from contracts.media import xml
from contracts.values import Coercer
from interlock.xml_document import root
from probes.status_pages.told import Unreadable, as_xml

BOMB = '<?xml version="1.0" encoding="{}"?><!DOCTYPE a [<!ENTITY b "{}"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;&c;</a>'
ENCODINGS = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig")


def bomb(encoding: str) -> bytes:
    named = "utf-16" if "16" in encoding else "utf-8"
    return BOMB.format(named, "x" * 50).encode(encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_document_type_is_refused_in_every_encoding(encoding: str) -> None:
    with pytest.raises(ValueError, match=r"document type|not XML"):
        root(bomb(encoding))
    with pytest.raises(Unreadable):
        as_xml(bomb(encoding))
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    media = Media(media_type="application/xml", schema="", pointer="")
    assert xml(bomb(encoding), media, Coercer(schema)).value is None


def test_utf_16_without_one_is_read() -> None:
    assert root('<?xml version="1.0" encoding="utf-16"?><a>é</a>'.encode("utf-16")).text == "é"


@pytest.mark.parametrize(
    "raw", [b"", b"<a>", b"<a></b>", b'<?xml version="1.0" encoding="nosuch"?><a/>', b"\xff\xfe<"]
)
def test_what_is_no_xml_is_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError, match="not XML"):
        root(raw)


@given(st.binary(max_size=60))
def test_bytes_of_any_kind_raise_nothing_else(raw: bytes) -> None:
    for given_ in (raw, b"<a>" + raw + b"</a>"):
        with contextlib.suppress(ValueError):
            root(given_)
