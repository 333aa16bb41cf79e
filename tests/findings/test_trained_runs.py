"""A sample of the benchmark's real trainings: healthy ones pass, broken ones are found."""

from __future__ import annotations

import pytest

from autotrack.findings import find, rules
from benchmarks.findings.faults import FAULTS
from benchmarks.findings.healthy import HEALTHY
from benchmarks.findings.recording import record

HEALTHY_SAMPLE = (
    "digits-mlp-adam",
    "digits-dropout",
    "digits-steps-warm-cosine",
    "images-cnn",
    "noisy-linear",
    "rewards",
)
FAULTY_SAMPLE = (
    "nan-input-late",
    "rate-x1000-regression",
    "labels-by-lot",
    "few-100",
    "no-zero-grad",
    "copied-model",
    "dead-most",
    "ends-at-25",
)


@pytest.mark.parametrize("name", HEALTHY_SAMPLE)
def test_a_healthy_training_has_no_problem(name, tmp_path):
    recipe = next(recipe for recipe in HEALTHY if recipe.name == name)
    found = find(record(recipe, 0, records=tmp_path), strict=True)
    assert [finding for finding in found if finding.severity == "problem"] == []


@pytest.mark.parametrize("name", FAULTY_SAMPLE)
def test_a_broken_training_is_found_by_the_right_rule(name, tmp_path):
    fault = next(fault for fault in FAULTS if fault.name == name)
    found = find(record(fault.twin(0), 0, records=tmp_path), strict=True)
    assert {finding.rule for finding in found} & set(fault.rules)


def test_no_two_rules_explain_each_other_away():
    explains = {rule.name: rule.explains for rule in rules()}
    assert not [(a, b) for a in explains for b in explains[a] if a in explains.get(b, ())]
