"""What the benchmarks compare gives the same answers, shown with tiny sizes; no time is asserted."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from benchmarks import (
    cassette_reading,
    cold_check,
    metrics,
    mutations,
    one_probe,
    schedule,
    shared,
    store,
    verify_speed,
)
from benchmarks import help as help_benchmark
from benchmarks.__main__ import NAMES
from benchmarks.origins import serve
from tests import corpus


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_loads_and_can_be_run(name: str) -> None:
    assert callable(importlib.import_module(f"benchmarks.{name}").run)


def test_every_asker_gets_the_same_answer_from_an_origin(tmp_path: Path) -> None:
    with shared.serving(serve, count=1, folder=str(tmp_path), tls=False) as ports:
        url = one_probe.urls("http", ports)[0]
        one_probe.check(
            {
                name: one_probe.answer(name=name, url=url, ca=None)
                for name in ("raw", "wire", "probe", "httpx")
            }
        )


def test_the_help_names_every_command() -> None:
    help_benchmark.check((*shared.INTERLOCK, "--help"))


def test_both_texts_of_the_metrics_hold_the_same_samples(tmp_path: Path) -> None:
    probes = metrics.fill(folder=str(tmp_path), series=200)
    metrics.same_samples(str(tmp_path), probes)


def test_every_way_of_writing_leaves_the_same_rows() -> None:
    first, *others = [store.written(name=name, count=40) for name in store.WRITERS]
    assert all(rows == first for rows in others)
    assert len(first) == 40


def test_uptime_by_page_is_uptime_by_group_by(tmp_path: Path) -> None:
    assert store.day(folder=str(tmp_path), probes=5, hours=24) == 5 * 24 * 120
    store.same_uptime(str(tmp_path), 5)


@pytest.mark.parametrize("name", schedule.WORKERS)
def test_every_job_runs_once_in_an_interval(name: str) -> None:
    told = schedule.WORKERS[name](jobs=20, every=0.5, warm_up=0.1, window=0.8)
    schedule.check({name: [told]})


def test_vcrpy_and_interlock_read_the_same_objects(tmp_path: Path) -> None:
    path = str(tmp_path / "made.yaml")
    assert shared.worker(cassette_reading.make, path=path, megabytes=1) > 100
    cassette_reading.same_objects(path)


@pytest.mark.parametrize("name", cassette_reading.ATTACKS)
def test_every_attack_on_the_reader_is_refused(tmp_path: Path, name: str) -> None:
    cassette_reading.refusal(folder=str(tmp_path), name=name)


def test_check_and_script_get_the_same_answers(tmp_path: Path) -> None:
    with shared.serving(cold_check.serve, folder=str(tmp_path), count=2) as environ:
        cold_check.same_answers(cold_check.commands(tmp_path), environ)


def test_cassettes_are_verified_whole_and_answers_judged_alike(tmp_path: Path) -> None:
    corpus.folder("specs/stripe")
    count = verify_speed.make(folder=str(tmp_path), drawn=6)
    assert verify_speed.whole(folder=str(tmp_path))["matched"] == count > 0
    assert verify_speed.judged(folder=str(tmp_path), part="answers", batches=1).keys() == {
        "engine",
        "openapi-core",
    }
    right = verify_speed.answers_of(str(tmp_path))[0]
    wrong = {**right, "body": None}
    assert all(judge([right, wrong]) == [False, True] for judge in verify_speed.STARTS.values())


def test_every_contender_is_asked_of_the_same_mutations() -> None:
    scores = [mutations.score(name, documents=1) for name in mutations.CONTENDERS]
    assert scores[0]["total"] == scores[2]["total"]
    assert scores[0]["found"] == scores[0]["total"]
    assert scores[0]["refused"] == 0


def test_a_missing_peer_is_named_with_its_package() -> None:
    with pytest.raises(shared.MissingProgramError, match="apt-get install prometheus-blackbox-exporter"):
        shared.program("no-such-program", "prometheus-blackbox-exporter")


def test_a_figure_says_what_was_reached() -> None:
    assert shared.Figure("a", 0.5, target=0.4).verdict == "MISSED"
    assert shared.Figure("a", 0.3, target=0.4, beyond=0.3).verdict == "reached, and beyond"
    assert shared.Figure("a", 0.9, target=0.8, at_least=True).verdict == "reached"
    assert not shared.Figure("a", 0.9).verdict
