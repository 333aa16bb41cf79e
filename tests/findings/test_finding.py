"""What every rule keeps to, and how findings are told."""

from __future__ import annotations

import json

import numpy as np
import pytest
from made_up_runs import RUNS
from synthetic_runs import MadeUpRun

from autotrack import findings
from autotrack.errors import UsageError
from autotrack.findings._finding import LONGEST_TITLE, Finding

RULES = {rule.name for rule in findings.rules()}


@pytest.mark.parametrize("make", RUNS, ids=lambda make: make.__name__)
def test_every_rule_keeps_to_the_form(make, tmp_path):
    history = make().read(tmp_path)
    found = findings.find(history, strict=True)
    for finding in found:
        assert finding.rule in RULES
        assert 0 < len(finding.title) <= LONGEST_TITLE
        assert finding.meaning
        assert finding.evidence
        assert finding.stream in ("", *history.streams)
    assert len(json.loads(json.dumps(findings.as_json(found)))) == len(found)
    assert findings.verdict(history, found).count(". ") <= 2


def test_a_rule_explains_only_rules_that_exist():
    for rule in findings.rules():
        assert rule.explains <= RULES - {rule.name}
        # two that explain each other would both be left out
        explained = [other for other in findings.rules() if other.name in rule.explains]
        assert not [other.name for other in explained if rule.name in other.explains]


def test_names_of_a_person_stay_text_in_markdown():
    evidence = findings.Evidence("Loss/train", "a <b> in layer_1* | `x`")
    finding = findings.Finding("nonfinite", "problem", "<script>", "x", (), (evidence,))
    text = findings.as_markdown([finding])
    assert "<" not in text
    assert "layer\\_1\\*" in text


def test_a_rule_from_outside_is_named_by_its_function(tmp_path):
    history = MadeUpRun().per_step(Loss__train=np.ones(3)).read(tmp_path)
    found = findings.find(history, also=["findings_from_outside:always"])
    assert "always" in [finding.rule for finding in found]


def test_a_name_that_is_no_rule_is_refused(tmp_path):
    with pytest.raises(UsageError, match="there is no rule"):
        findings.rules(["nowhere:nothing"])


def test_a_question_ends_the_verdict_without_a_full_stop(tmp_path):
    history = MadeUpRun().per_step(Loss__train=np.ones(3)).read(tmp_path)
    asks = Finding("a-rule", "warning", "It is so", "", ("look: is it so?",), ())
    says = Finding("a-rule", "warning", "It is so", "", ("look there.",), ())
    assert findings.verdict(history, [asks]).endswith("It is so: look: is it so?")
    assert findings.verdict(history, [says]).endswith("It is so: look there.")
