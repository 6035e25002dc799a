"""Agreement with oasdiff on the pairs of documents of its own tests, and what of its rules is covered.

`oasdiff_rules.txt` and `oasdiff_pairs.txt` are facts: its ids with their levels, and what it says of each pair. They
were taken from github.com/oasdiff/oasdiff of 2026-08-08, run on 2026-11-25. Where we differ, docs/drift-rules.md
says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from contracts import adapters
from contracts.drift import compare
from contracts.drift.table import RULES, DriftRule
from interlock.errors import UsageError
from tests.contracts.drift.made import TODAY
from tests.corpus import ROOT, folder

HERE = Path(__file__).parent
DOCUMENT = ROOT / "docs" / "drift-rules.md"


@dataclass(slots=True)
class Tally:
    """How the findings of both sides compare. `differing`: by unordered pair, their ids and our rules."""

    agreed: int = 0
    other_level: int = 0
    theirs_alone: int = 0
    ours_alone: int = 0
    worst_alike: int = 0
    pairs: int = 0
    refused: list[str] = field(default_factory=list)
    differing: dict[tuple[str, str], set[str]] = field(default_factory=dict)


def their_rules() -> dict[str, str]:
    """Every id of theirs with its level."""
    lines = (HERE / "oasdiff_rules.txt").read_text(encoding="utf-8").splitlines()[1:]
    return dict(line.split(" ", 1) for line in lines)


def their_findings() -> Iterator[tuple[str, str, set[tuple[str, str]]]]:
    """Each pair of documents, and the ids with levels that they find."""
    text = (HERE / "oasdiff_pairs.txt").read_text(encoding="utf-8")
    for block in re.split(r"\n(?! )", text.partition("\n")[2].rstrip()):
        head, *rows = block.splitlines()
        base, revision = head.split(" ")
        found = [row.split() for row in rows]
        yield base, revision, {(name, level) for name, level in found}


def mapped() -> dict[str, set[str]]:
    """Our rules for each id of theirs."""
    found: dict[str, set[str]] = {}
    for rule in RULES.values():
        for name in rule.theirs:
            found.setdefault(name, set()).add(rule.name)
    return {name: found[name] for name in their_rules() if name in found}


def tally(data: Path) -> Tally:
    """Compare what both find, over all pairs."""
    made, known = Tally(), mapped()
    for base, revision, theirs in their_findings():
        try:
            one, two = adapters.load(data / base), adapters.load(data / revision)
        except UsageError:
            made.refused.append(f"{base} {revision}")
            continue
        ours = {(f.rule, f.severity.value) for f in compare(one, two, today=TODAY).findings}
        _count(made, (base, revision), {each for each in theirs if each[0] in known}, ours, known)
    return made


def _count(
    made: Tally,
    pair: tuple[str, str],
    theirs: set[tuple[str, str]],
    ours: set[tuple[str, str]],
    known: dict[str, set[str]],
) -> None:
    made.pairs += 1
    unlike = made.differing.setdefault((min(pair), max(pair)), set())
    for name, level in theirs:
        levels = {each for rule, each in ours if rule in known[name]}
        made.agreed += level in levels
        made.other_level += bool(levels) and level not in levels
        made.theirs_alone += not levels
        unlike |= {name} if level not in levels else set()
    named = {name for name, _ in theirs}
    for rule, _ in ours:
        own = {name for name in known if rule in known[name]}
        if own and not own & named:
            made.ours_alone += 1
            unlike.add(rule)
    made.worst_alike += _worst({level for _, level in theirs}) == _worst(
        {level for rule, level in ours if any(rule in rules for rules in known.values())}
    )


def _worst(levels: set[str]) -> str:
    return next((each for each in ("error", "warning", "info") if each in levels), "none")


def documented() -> dict[tuple[str, str], set[str]]:
    """The differences that the document lists, each with a reason."""
    found = {}
    rows = re.findall(
        r"^\| `([^`]+)` `([^`]+)` \| ([^|]+) \| ([^|]+) \|$",
        DOCUMENT.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    for one, two, names, reason in rows:
        assert reason.strip()
        found[one, two] = set(re.findall(r"`([^`]+)`", names))
    return found


def test_levels_agree_and_every_difference_has_its_reason() -> None:
    made = tally(folder("conformance/oasdiff/data"))
    differing = {pair: names for pair, names in made.differing.items() if names}
    assert differing == documented()
    expected = made.agreed + made.other_level + made.theirs_alone
    said = (
        f"Of {expected} findings of theirs in {made.pairs} pairs, {made.agreed} "
        f"({100 * made.agreed / expected:.1f} %) are found here with the same level, {made.other_level} with another, "
        f"{made.theirs_alone} not; {made.ours_alone} are found here alone. The worst level of a pair is the same in "
        f"{made.worst_alike} ({100 * made.worst_alike / made.pairs:.1f} %)."
    )
    assert said in " ".join(DOCUMENT.read_text(encoding="utf-8").split())
    assert made.agreed / expected > 0.85


def test_levels_of_stability_are_told_as_their_own_tests_have_it() -> None:
    """Facts of checker/check_property_stability_level_test.go: the pairs were taken before we compared levels."""
    data = folder("conformance/oasdiff/data/stability")
    names = ("base-property-stable-draft.yaml", "revision-property-all-stable.yaml")
    mixed, stable = (adapters.load(data / name) for name in names)
    both = {f"{side}-property-stability-decreased" for side in ("request", "response")}
    for one, two, found in ((mixed, stable, set()), (stable, mixed, both), (mixed, mixed, set())):
        assert {each.rule for each in compare(one, two, today=TODAY).findings} == found


def test_every_rule_of_theirs_is_listed_as_covered_or_not() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    covered, _, rest = text.partition("## Not covered")
    listed = {
        name: set(re.findall(r"`([a-z0-9-]+)`", part)) for name, part in (("yes", covered), ("no", rest))
    }
    known = mapped()
    for name in their_rules():
        assert (name in listed["yes"]) is (name in known), name
        assert (name in listed["no"]) is (name not in known), name


def test_the_counts_are_those_of_the_lists() -> None:
    covered, _, rest = DOCUMENT.read_text(encoding="utf-8").partition("## Not covered")
    said = re.search(r"^Of its (\d+) ids, (\d+) are covered", covered, re.MULTILINE)
    assert said is not None
    assert (int(said[1]), int(said[2])) == (len(their_rules()), len(mapped()))
    counts = {
        row[0]: (int(row[1]), int(row[2]))
        for row in re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \|$", covered, re.MULTILINE)
    }
    lists = [_listed(part) for part in (covered, rest)]
    assert counts == {name: (lists[0].get(name, 0), lists[1].get(name, 0)) for name in lists[0] | lists[1]}


def _listed(text: str) -> dict[str, int]:
    """How many ids each class lists."""
    classes = re.findall(r"^\*\*(\w+)\*\*: ((?:.+\n?)+)", text, re.MULTILINE)
    return {name: ids.count("`") // 2 for name, ids in classes}


def test_every_id_that_the_table_claims_is_theirs() -> None:
    """For what happens to schemas, an ending must be theirs on one side at least: they have no id for some sides."""
    real = their_rules()
    suffixes: dict[str, list[DriftRule]] = {}
    for rule in RULES.values():
        suffix = re.sub("^(request|response)-(parameter|property|header)-", "", rule.name)
        suffixes.setdefault(suffix, []).append(rule)
    for suffix, together in suffixes.items():
        claimed = {re.sub("^(request|response)-", "", name) for rule in together for name in rule.theirs}
        ends = {re.sub("^(parameter-property|parameter|body|property|header)-", "", name) for name in claimed}
        dead = {end for end in ends if not any(name.endswith(end) for name in real)}
        assert not dead, suffix


def test_every_rule_of_ours_is_described() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for rule in RULES.values():
        suffix = re.sub("^(request|response)-(parameter|property|header)-", "", rule.name)
        assert f"`{rule.name}`" in text or f"`{suffix}`" in text, rule.name
