"""A provider's own contract is fetched once, pinned, and used in place of the library's."""

from __future__ import annotations

import codecs
import json
from pathlib import Path

import pytest

from contracts.pull import Document, documents, pull, raw
from contracts.shelf import LOCK, LOCK_SCHEMA, Shelf
from interlock.errors import CannotJudge, UsageError
from interlock.wire import Wire
from tests.contracts.verify.made import NOW, document
from tests.loopback import says, server

DOCUMENT = json.dumps(document()).encode()


def _answer(body: bytes, status: str = "200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


def shop(place: str) -> tuple[Document]:
    """The shop's contract, and where it is."""
    return (Document(name="shop", place=place),)


async def test_it_is_pinned_with_its_digest_and_loaded_from_there(tmp_path: Path) -> None:
    async with server(says(_answer(DOCUMENT))) as port:
        ((known, contract),) = await pull(shop(f"http://127.0.0.1:{port}/shop.json"), tmp_path, now=NOW)
    assert known.path.read_bytes() == DOCUMENT
    lock = json.loads((tmp_path / ".interlock" / "contracts" / LOCK).read_text())
    assert lock["contracts"]["shop"]["sha256"] == contract.digest
    assert Shelf(tmp_path).load("shop").digest == contract.digest
    assert Shelf(tmp_path).load("shop").partial is False


async def test_what_was_changed_after_it_was_pulled_is_refused(tmp_path: Path) -> None:
    async with server(says(_answer(DOCUMENT))) as port:
        ((known, _),) = await pull(shop(f"http://127.0.0.1:{port}/shop.json"), tmp_path, now=NOW)
    for changed in (DOCUMENT + b" ", DOCUMENT[:-1], b"\xff"):
        known.path.write_bytes(changed)
        with pytest.raises(UsageError, match="is not what was pulled"):
            Shelf(tmp_path).load("shop")


def test_a_pinned_file_that_is_gone_is_said_and_how_to_have_it_again(tmp_path: Path) -> None:
    known = Shelf(tmp_path).pin("shop", DOCUMENT, url="https://x.example/", pulled_at="2026-11-26")
    known.path.unlink()
    with pytest.raises(
        UsageError, match=r"shop\.json: is in contracts\.lock\.json, and is not there"
    ) as refused:
        Shelf(tmp_path).load("shop")
    assert refused.value.hint == "`interlock contracts pull shop --url https://x.example/` fetches it anew"


def test_json_with_a_byte_order_mark_is_json(tmp_path: Path) -> None:
    data = codecs.BOM_UTF8 + b"\t" + DOCUMENT
    known = Shelf(tmp_path).pin("shop", data, url="https://x.example/", pulled_at="2026-11-26")
    assert known.path.name == "shop.json"
    assert known.path.read_bytes() == data
    assert Shelf(tmp_path).load("shop").title == "Shop"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (_answer(b"{}"), UsageError),
        (_answer(json.dumps(document() | {"paths": {}}).encode()), UsageError),
        (_answer(json.dumps(document() | {"paths": [1, 2]}).encode()), UsageError),
        (_answer(b"gone", "404 Not Found"), CannotJudge),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", CannotJudge),
        (_answer(DOCUMENT + b" " * 100_000), UsageError),
    ],
)
async def test_what_is_no_contract_is_not_kept(tmp_path: Path, answer: bytes, error: type[Exception]) -> None:
    wire = Wire(max_body_bytes=50_000)
    async with server(says(answer)) as port:
        with pytest.raises(error):
            await pull(shop(f"http://127.0.0.1:{port}/"), tmp_path, now=NOW, wire=wire)
    assert Shelf(tmp_path).lock() == {}


def test_a_page_of_github_stands_for_the_file_behind_it() -> None:
    assert (
        raw("https://github.com/o/r/blob/main/a/b.json")
        == "https://raw.githubusercontent.com/o/r/main/a/b.json"
    )


@pytest.mark.parametrize("name", ["", "../evil", "a b", "a/b", ".", "contracts.lock"])
async def test_a_name_that_is_no_file_name_is_refused_and_the_lock_stays_whole(
    tmp_path: Path, name: str
) -> None:
    async with server(says(_answer(DOCUMENT))) as port:
        with pytest.raises(UsageError, match="is no name for a contract"):
            await pull((Document(name=name, place=f"http://127.0.0.1:{port}/"),), tmp_path, now=NOW)
    assert not (tmp_path / ".interlock").exists()


@pytest.mark.parametrize(
    "entry",
    [
        {"file": "a\0b", "url": "https://x.example/", "sha256": "1", "pulled_at": "2026-11-26"},
        {"file": "../a", "url": "https://x.example/", "sha256": "1", "pulled_at": "2026-11-26"},
        {"file": "a", "sha256": "1", "pulled_at": "2026-11-26"},
        [],
    ],
)
def test_a_broken_lock_is_said(tmp_path: Path, entry: object) -> None:
    shelf = Shelf(tmp_path)
    shelf.folder.mkdir(parents=True)
    (shelf.folder / LOCK).write_text(json.dumps({"schema": LOCK_SCHEMA, "contracts": {"shop": entry}}))
    with pytest.raises(UsageError, match="is not a lock of contracts"):
        shelf.known()


def test_of_two_forms_of_a_document_the_last_alone_is_kept(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    for text in (b"{}", b"openapi: 3.1.0\n"):
        shelf.pin("shop", text, url="https://x.example/", pulled_at="2026-11-26")
    assert sorted(each.name for each in shelf.folder.iterdir()) == [LOCK, "shop.yaml"]


def test_a_name_ends_with_no_dot() -> None:
    with pytest.raises(UsageError, match="names no document"):
        documents("paypal.")


@pytest.mark.parametrize(
    "place",
    [
        "http://[::1/x",
        "http://127.0.0.1:99999/x",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:x/",
        "ftp://x/",
        "http:///x",
    ],
)
async def test_what_is_no_address_is_said(tmp_path: Path, place: str) -> None:
    with pytest.raises(UsageError, match="is not an http:// or https:// address"):
        await pull(shop(place), tmp_path, now=NOW)


async def test_a_secret_of_the_address_is_neither_kept_nor_said(tmp_path: Path) -> None:
    async with server(says(_answer(DOCUMENT))) as port:
        await pull(shop(f"http://127.0.0.1:{port}/?token=made-up-0123456789"), tmp_path, now=NOW)
        with pytest.raises(UsageError, match="with a user name or a password in it") as refused:
            await pull(shop(f"http://me:made-up@127.0.0.1:{port}/"), tmp_path, now=NOW)
    assert "made-up" not in str(refused.value)
    assert "made-up" not in (tmp_path / ".interlock" / "contracts" / LOCK).read_text()
