"""The pytest side of `verify`: one item for each cassette, collected by us, so that pytest and xdist do the running.

Loaded with `-p contracts.session` in the session itself and in each of its workers. The options travel as JSON
on the command line, and what was found comes back in the reports, as JSON too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from contracts.running import Options, Outcome, Runner
from interlock.errors import UsageError

OPTION = "--interlock-verify"
PROPERTY = "interlock"
REFUSED = "interlock-refused"
OUTCOMES = pytest.StashKey[dict[int, Outcome]]()
_RUNNER = pytest.StashKey[Runner]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The one option: a file with everything else in it."""
    parser.addoption(OPTION, dest="interlock_verify", metavar="FILE", default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Every process makes its own runner."""
    path = config.getoption("interlock_verify")
    if path:
        config.stash[_RUNNER] = Runner(Options.from_json(json.loads(Path(path).read_text(encoding="utf-8"))))
        config.stash[OUTCOMES] = {}


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> bool:
    """Cassettes alone are collected: nothing of what lies beside them is imported."""
    runner = session.config.stash[_RUNNER]
    collector = Cassettes.from_parent(session, name="cassettes", nodeid="cassettes")
    session.items = [
        Cassette.from_parent(collector, name=str(path), index=index)
        for index, path in enumerate(runner.files())
    ]
    session.testscollected = len(session.items)
    session.config.hook.pytest_collection_finish(session=session)
    return True


class Cassettes(pytest.Collector):
    """The parent of every cassette."""

    def collect(self) -> Iterator[pytest.Item]:
        """Nothing: the items are made by `pytest_collection`."""
        return iter(())


class Cassette(pytest.Item):
    """One cassette: read, and each of its interactions held against its contract."""

    def __init__(self, *, index: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.index = index

    def runtest(self) -> None:
        """Verify the file. A finding is no failure of the session: what fails is decided from the report.

        A contract that cannot be had is the user's to mend, and no fault of the session either.
        """
        try:
            found = self.config.stash[_RUNNER].file(Path(self.name))
        except UsageError as exc:
            self.user_properties.append((REFUSED, json.dumps([self.index, exc.message, exc.hint])))
        else:
            self.user_properties.append((PROPERTY, json.dumps([self.index, found.to_json()])))

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where it is."""
        return Path(self.name), None, self.name


class Collected:
    """The plugin of the main session: gathers what the items found, here or in the workers."""

    def __init__(self) -> None:
        self.outcomes: dict[int, Outcome] = {}
        self.problems: list[str] = []
        self.refused: dict[int, UsageError] = {}
        self.done: Callable[[], None] = lambda: None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what an item found; a crash of ours is kept as a problem."""
        if report.when == "call":
            for name, text in report.user_properties:
                if name == PROPERTY:
                    index, found = json.loads(str(text))
                    self.outcomes[index] = Outcome.from_json(found)
                elif name == REFUSED:
                    index, message, hint = json.loads(str(text))
                    self.refused[index] = UsageError(message, hint=hint)
            self.done()
        if report.failed:
            self.problems.append(f"{report.nodeid}: {report.longreprtext}")

    def in_order(self) -> Sequence[Outcome]:
        """By the order of the files, whoever was first."""
        return [self.outcomes[index] for index in sorted(self.outcomes)]


def arguments(options_file: Path, jobs: int) -> list[str]:
    """The arguments of the session: nothing of the user's own pytest is read or written."""
    fixed = [
        "-p",
        "contracts.session",
        OPTION,
        str(options_file),
        "-c",
        "/dev/null",
        "--rootdir",
        "/",
        "--noconftest",
    ]
    off = (
        "terminal",
        "cacheprovider",
        "doctest",
        "faulthandler",
        "logging",
        "junitxml",
        "pastebin",
        "unraisableexception",
        "threadexception",
        "warnings",
        "stepwise",
        "setuponly",
        "setupplan",
        "debugging",
    )
    blocked = [word for name in off for word in ("-p", f"no:{name}")]
    spread = ["-p", "xdist", "-n", str(jobs), "--dist", "load"] if jobs > 1 else []
    return [*fixed, *blocked, *spread, "--capture=no"]


def environment() -> Mapping[str, str]:
    """What keeps plugins that happen to be installed out of the session."""
    return {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", "PYTEST_PLUGINS": ""}
