"""The report page: what it says, that names stay text, and how it behaves in a real browser."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import made_up_runs
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from synthetic_runs import MadeUpRun

from autotrack.findings import Evidence, Finding
from autotrack.records import Record
from autotrack.reports import page
from autotrack.reports.page.grouping import groups
from autotrack.reports.page.lines import bucketed
from autotrack.reports.page.scale import ValueScale, round_values
from autotrack.reports.palette import DARK, LIGHT

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
EVIL = "<script>alert(1)</script>"
NAMES = [EVIL, "</script><img src=x onerror=alert(1)>", "\"quoted' & <b>bold</b>", "学習率 größe"]

FINDING = Finding(
    rule="overfitting",
    severity="warning",
    title="Overfitting since epoch 2",
    meaning="The validation loss rises.",
    advice=("Stop earlier.",),
    evidence=(Evidence("Loss/val", "val rises", first_step=48, last_step=80, epoch=2, value=0.5),),
)


class Reader(HTMLParser):
    """Elements, identifiers and links of a page."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.ids, self.links, self.words = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        self.elements.append((tag, known))
        self.ids += [known["id"]] if "id" in known else []
        self.links += [known["href"]] if "href" in known else []

    def handle_data(self, data):
        self.words.append(data)


def evil_run():
    named = {name.replace("/", "\u2215"): made_up_runs.falling(40) for name in NAMES}
    facts = {
        "name": EVIL,
        "config": dict.fromkeys(NAMES, EVIL),
        "command": EVIL,
        "error": EVIL,
        "git": {"commit": EVIL, "branch": EVIL},
        "packages": {EVIL: EVIL},
        "classes": [[EVIL, EVIL[::-1], "long_" * 12]],
        "optimizers": [{"stream": EVIL, "class": EVIL, "defaults": {EVIL: EVIL}, "groups": 1}],
        "models": [
            {
                "name": EVIL,
                "class": EVIL,
                "parameters": [{"name": EVIL, "shape": [2], "dtype": EVIL, "optimizer": None}],
            }
        ],
    }
    run = MadeUpRun(2, 20, facts=facts).per_step(Loss__train=made_up_runs.falling(40), **named)
    run.per_epoch(**{f"Loss__val {EVIL.replace('/', '')}": [1.0, 0.9], "x" * 200: [1.0, 2.0]})
    run.vectors("autotrack/gradient_norm", NAMES, np.ones((40, len(NAMES))))
    for name in NAMES:
        run.histograms(f"Weights/{name}", [0, 20], [np.arange(9.0), np.arange(9.0)])
    line = {"what": EVIL, "seen": 1, "how": EVIL, "missing": "", "since": 0}
    coverage = {"lines": [line], "notes": [EVIL], "failed": {EVIL: EVIL}}
    hidden = [("autotrack/coverage", json.dumps(coverage))]
    run.records.append(Record(40, 40.0, hidden=hidden))
    return run.confusion("val", made_up_runs.confusions(3, 2, 9))


# -- what it is made of ----------------------------------------------------------------------------


@pytest.mark.parametrize("made_up", made_up_runs.RUNS, ids=lambda made_up: made_up.__name__)
def test_every_run_has_a_page_whose_links_lead_somewhere(made_up, tmp_path):
    text = page.render(made_up().read(tmp_path))
    read = Reader(text)
    assert len(set(read.ids)) == len(read.ids)
    assert {link[1:] for link in read.links} <= set(read.ids)
    assert not re.search(r"(?<![\w-])(NaN|nan|inf|undefined|None)(?![\w-])", path_data(read))
    assert len(text) < 500_000


def path_data(read):
    return " ".join(attributes.get("d", "") for _, attributes in read.elements)


def test_findings_stand_with_the_way_to_their_curve(tmp_path):
    text = page.render(made_up_runs.few_epochs().read(tmp_path), [FINDING])
    read = Reader(text)
    (shown,) = (known for tag, known in read.elements if known.get("class") == "show")
    chart = next(known for _, known in read.elements if known.get("id") == shown["href"][1:])
    assert "main" in chart["class"]
    assert 0.5 < float(shown["data-low"]) < float(shown["data-high"]) <= 1
    (flag,) = (known for _, known in read.elements if "flag warning" in known.get("class", ""))
    assert flag["href"] == "#finding-1"
    assert "Overfitting since epoch 2" in text
    assert "Stop earlier." in text


def test_names_stay_text(tmp_path):
    evil = [
        Finding(EVIL, "problem", EVIL, EVIL, (EVIL,), (Evidence("Loss/train", EVIL, 3, 9),), EVIL)
    ]
    text = page.render(evil_run().read(tmp_path), evil)
    read = Reader(text)
    assert sum(tag == "script" for tag, _ in read.elements) == 2
    assert not [tag for tag, _ in read.elements if tag in {"img", "b", "i/"}]
    assert EVIL in "".join(read.words)
    assert "学習率 größe" in text


def test_skipped_steps_are_marked_and_told(tmp_path):
    text = page.render(made_up_runs.scaled().read(tmp_path))
    assert text.count("Marks at the foot: 6 steps that the gradient scaler skipped.") == 2
    marks = re.findall(r'class="skips" d="([^"]*)"', text)
    drawn = [len(re.findall("M", path)) for path in marks]
    assert sorted(drawn)[-2:] == [4, 4]
    assert not any(drawn[2:])


def subpaths(d):
    return len(re.findall("M", d))


def test_trainings_in_turn_are_parted_and_the_last_has_the_numbers(tmp_path):
    history = made_up_runs.folds().read(tmp_path)
    text = page.render(history)
    between = re.findall(r'class="between" d="([^"]*)"', text)
    assert between
    assert {subpaths(d) for d in between} == {2}
    curves = re.findall(r'class="(?:raw|dots) c\d+ d\d+" d="([^"]*)"', text)
    assert {subpaths(d) for d in curves if "H25" not in d} == {3}
    # The lowest loss of all is that of the first training.
    last = float(history["Loss/val"].value[10:].min())
    assert last > history["Loss/val"].value.min()
    words = [word.strip() for word in Reader(text).words if word.strip()]
    assert words[words.index("Best val loss") + 1] == f"{last:.4g}"


def test_a_name_that_is_no_unicode_does_not_stop_the_page(tmp_path):
    run = MadeUpRun(facts={"name": "half \ud800 pair"}).per_step(Loss__train=[1.0, 0.5])
    assert page.write(run.read(tmp_path / "run"), tmp_path / "out").read_bytes()


def test_the_page_loads_nothing_and_runs_its_own_script_only(tmp_path):
    text = page.render(made_up_runs.few_epochs().read(tmp_path))
    policy = next(known["content"] for tag, known in Reader(text).elements if "http-equiv" in known)
    assert policy.startswith("default-src 'none';")
    assert "script-src 'sha256-" in policy
    assert not re.search(r"(src|href)=\"?(https?:|//)", text)


def test_a_long_run_stays_small_and_keeps_its_spikes(tmp_path):
    loss = np.random.default_rng(0).normal(1, 0.1, 30_000)
    loss[12_345] = 9.0
    tags = {f"own{i}": loss for i in range(12)}
    text = page.render(MadeUpRun().per_step(Loss__train=loss, **tags).read(tmp_path))
    assert len(text) < 2_000_000
    rows = re.findall(r"9 \(step 12,345\)", text)
    assert len(rows) == 13


def test_buckets_keep_the_extremes_and_forget_what_is_not_finite():
    y = np.array([1.0, np.nan, 3.0, np.inf, np.nan, np.nan, 7.0])
    x, low, high, size = bucketed(np.arange(7.0), y, 4)
    assert size == 2
    np.testing.assert_array_equal(low, [1, 3, np.nan, 7])
    np.testing.assert_array_equal(high, [1, 3, np.nan, 7])
    np.testing.assert_array_equal(x, [0.5, 2.5, 4.5, 6])


def test_round_values_are_round_and_whole_where_asked():
    assert round_values(0.0, 1.0, 4) == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert round_values(0, 20, 8, whole=True) == [0, 5, 10, 15, 20]
    assert round_values(0, 2, 8, whole=True) == [0, 1, 2]


def test_a_scale_places_values_between_its_ends():
    scale = ValueScale.of([np.array([1.0, 1000.0])], log=None, zero=False)
    assert scale.log
    below, middle, above, none = scale.share(np.array([1.0, 10**1.5, 1000.0, -1.0]))
    assert 0 < below < 0.1
    assert middle == pytest.approx(0.5)
    assert 0.9 < above < 1
    assert np.isnan(none)


def test_tags_that_differ_in_their_phase_share_a_chart():
    found = groups(["lr", "train_loss", "val_loss", "test/acc", "train/acc", "own"])
    assert found == [
        ("loss", [("train_loss", "train"), ("val_loss", "val")]),
        ("acc", [("test/acc", "test"), ("train/acc", "train")]),
        ("lr", [("lr", "lr")]),
        ("own", [("own", "own")]),
    ]


def test_parts_that_are_evaluated_have_a_chart_each_with_their_evaluations():
    tags = ["Loss/train/ce", "Loss/train/l1", "Loss/val/ce", "Loss/test/ce", "Loss/val/l1"]
    assert groups([*tags, "Loss/train/kl"]) == [
        (
            "Part of the loss: ce",
            [("Loss/train/ce", "train"), ("Loss/val/ce", "val"), ("Loss/test/ce", "test")],
        ),
        ("Part of the loss: l1", [("Loss/train/l1", "train"), ("Loss/val/l1", "val")]),
        ("Loss/train/kl", [("Loss/train/kl", "Loss/train/kl")]),
    ]
    assert groups(tags[:2]) == [("Parts of the loss", [(tags[0], "ce"), (tags[1], "l1")])]


def test_no_curve_or_label_leaves_its_chart_where_a_stream_is_named_with_a_slash(tmp_path):
    run = MadeUpRun(3, 20, streams=("a/b",), facts={"name": "odd"})
    run.per_step(**{"Loss__train__a/b": made_up_runs.falling(60)})
    read = Reader(page.render(run.read(tmp_path)))
    styles = " ".join(known.get("style", "") for _, known in read.elements)
    assert all(0 <= float(left) <= 100 for left in re.findall(r"left:([-\d.]+)%", styles))
    curves = [
        known["d"]
        for tag, known in read.elements
        if tag == "path" and known.get("class", "").startswith(("line c", "dots c", "raw c"))
        if known["d"] != "M1 5H25"
    ]
    assert curves
    assert all(0 <= float(x) <= 1000 for d in curves for x in re.findall(r"[ML]([-\d.e]+) ", d))


# -- contrast: the text colours of the sheet on the papers of both looks ---------------------------


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=lambda look: look.name)
def test_texts_are_legible(look, tmp_path):
    text = page.render(made_up_runs.one_step().read(tmp_path))
    dark = re.search(r":root\[data-theme=dark\]\{(.*?)\}", text, re.DOTALL)[1]
    light = re.findall(r":root\{(--shade.*?)\}", text, re.DOTALL)[0]
    own = dict(re.findall(r"--(\w+):(#\w+)", light if look is LIGHT else dark))
    own["lift"] = "#ffffff" if own["lift"] == "#fff" else own["lift"]
    for paper in (look.paper, own["shade"], own["lift"]):
        words = [look.ink, look.soft_ink, own["problem"], own["warning"], own["note"]]
        assert min(contrast(colour, paper) for colour in words) >= 4.5


# -- in a browser ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium; in CI it must be there."""
    if not Path(CHROMIUM).exists():
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed: the page cannot be looked at")
        pytest.skip("Chromium is not installed")
    playwright = pytest.importorskip("playwright.sync_api")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


class Opened:
    """A page from disk in a browser, and what went wrong there."""

    def __init__(self, browser, path, **options):
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.wrong, self.requests = [], []
        self.page.on("console", lambda message: self.wrong.append(message.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.wrong.append("dialog"), dialog.dismiss()))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())

    def width(self):
        """How wide the contents are."""
        return self.page.evaluate("document.documentElement.scrollWidth")

    def close(self):
        self.context.close()
        assert self.wrong == []
        assert len(self.requests) == 1


@pytest.fixture
def opened(browser, tmp_path):
    pages = []

    def open_page(run, found=(), **options):
        history = run.read(tmp_path / f"run{len(pages)}")
        path = page.write(history, tmp_path / f"out{len(pages)}", list(found))
        pages.append(Opened(browser, path, **options))
        return pages[-1]

    yield open_page
    for one in pages:
        one.close()


def middle_of(area, share=0.5):
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    return box["x"] + share * box["width"], box["y"] + 0.3 * box["height"]


def test_hovering_tells_the_values_of_every_line(opened):
    run = made_up_runs.few_epochs()
    shown = opened(run).page
    area = shown.locator(".chart.main .area")
    shown.mouse.move(*middle_of(area, 0.995))
    tip = area.locator(".tip")
    tip.wait_for()
    said = tip.inner_text()
    values = {tag: value for record in run.records for tag, value in record.scalars}
    assert "epoch 4" in said
    for tag in ("Loss/val", "Loss/test", "Loss/train_epoch"):
        assert f"{values[tag]:.4g}" in said
    assert shown.locator(".chart .cross").count() == shown.locator(".chart").count()


def test_dragging_zooms_every_chart_and_escape_shows_all(opened):
    shown = opened(made_up_runs.few_epochs()).page
    main = shown.locator(".chart.main")
    area, path = main.locator(".area"), main.locator(".lines path").first
    before = path.get_attribute("d")
    labels = shown.locator(".chart >> nth=1").locator(".xlabels")
    words = labels.inner_text()
    shown.mouse.move(*middle_of(area, 0.2))
    shown.mouse.down()
    shown.mouse.move(*middle_of(area, 0.4), steps=4)
    shown.mouse.up()
    shown.wait_for_function(
        "d => document.querySelector('.main .lines path').getAttribute('d') != d", arg=before
    )
    assert labels.inner_text() != words
    shown.keyboard.press("Escape")
    shown.wait_for_function(
        "t => document.querySelectorAll('.xlabels')[1].innerText.split(/\\s+/).join() == t",
        arg=",".join(words.split()),
    )


def test_the_keyboard_reads_and_zooms(opened):
    shown = opened(made_up_runs.few_epochs()).page
    area = shown.locator(".chart.main .area")
    area.focus()
    shown.keyboard.press("End")
    shown.wait_for_function("document.getElementById('said').textContent.includes('val')")
    assert "epoch 4" in shown.locator("#said").inner_text()
    shown.keyboard.press("Home")
    shown.keyboard.press("+")
    shown.get_by_role("button", name="Show the whole run").and_(
        shown.locator(":enabled")
    ).wait_for()


def test_the_way_from_a_finding_leads_to_its_curve(opened):
    shown = opened(made_up_runs.few_epochs(), [FINDING]).page
    shown.get_by_text("Show on curve").click()
    shown.wait_for_function("document.activeElement.classList.contains('main')")
    flag = shown.locator(".chart.main .flag")
    flag.click()
    assert shown.url.endswith("#finding-1")


def test_log_scale_and_axes_can_be_chosen(opened):
    shown = opened(made_up_runs.few_epochs()).page
    main = shown.locator(".chart.main")
    name = main.locator(".xname")
    for axis in ("Step", "Time", "Epoch"):
        shown.get_by_role("button", name=f"{axis} along the bottom").click()
        shown.wait_for_function(
            "a => document.querySelector('.main .xname').textContent == a", arg=axis
        )
    assert name.inner_text() == "Epoch"
    log = main.get_by_role("button", name="Log scale")
    pressed = log.get_attribute("aria-pressed")
    log.click()
    assert log.get_attribute("aria-pressed") != pressed


@pytest.mark.parametrize("make", [made_up_runs.folds, made_up_runs.folds_of_one_step_epochs])
def test_lines_end_where_a_training_begins_anew_in_a_browser(make, opened):
    shown = opened(make()).page
    paths = "path => [...document.querySelectorAll(path)].map(p => p.getAttribute('d'))"
    assert {subpaths(d) for d in shown.evaluate(paths, ".lines .between")} == {2}
    drawn = shown.evaluate(paths, ".chart.main .lines .raw, .chart.main .lines .dots")
    drawn += shown.evaluate(paths, ".chart.main .lines .line")
    assert drawn
    assert {subpaths(d) for d in drawn} == {3}


def test_light_and_dark_can_be_chosen(opened):
    shown = opened(made_up_runs.one_step(), color_scheme="dark").page
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = shown.evaluate(paper)
    shown.locator("#theme").click()
    assert (dark, shown.evaluate(paper)) == ("rgb(20, 23, 28)", "rgb(255, 255, 255)")


def test_names_run_nothing_in_a_browser(opened):
    shown = opened(evil_run()).page
    assert EVIL in shown.locator("h1").inner_text()
    shown.mouse.move(*middle_of(shown.locator(".area").nth(1)))
    shown.locator(".tip").wait_for()


def test_it_reads_without_javascript(opened):
    shown = opened(made_up_runs.few_epochs(), [FINDING], java_script_enabled=False).page
    assert shown.locator(".chart.main .lines path").count() > 3
    assert shown.locator("#theme").is_hidden()
    assert shown.get_by_text("Overfitting since epoch 2").first.is_visible()
    shown.get_by_text("Values as a table").first.click()
    assert shown.get_by_role("columnheader", name="Lowest").first.is_visible()


@pytest.mark.parametrize("width", [320, 390, 1920])
def test_it_fits_phones_and_wide_screens(opened, width):
    runs = (made_up_runs.many_parameters(), made_up_runs.awkward_names(), evil_run())
    for run in runs:
        one = opened(run, [FINDING], viewport={"width": width, "height": 800})
        assert one.width() <= width


# Where the labels of each axis stand, of those that are seen, in pixels from left to right.
LABELS = """() => [...document.querySelectorAll(".xlabels")].map((axis) => [...axis.children]
  .map((label) => label.getBoundingClientRect()).filter((box) => box.width)
  .map((box) => [box.left, box.right]).sort((a, b) => a[0] - b[0]))"""


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("epochs", [0, 14, 90])
@pytest.mark.parametrize("steps", [7_680, 9_990, 720])
def test_no_label_of_an_axis_touches_the_next(steps, epochs, width, opened):
    length = steps // epochs if epochs else 0
    run = MadeUpRun(epochs=epochs, length=length, first_epoch=100)
    run.per_step(Loss__train=np.linspace(1, 2, steps), GradNorm__total=np.linspace(1, 2, steps))
    axes = opened(run, viewport={"width": width, "height": 800}).page.evaluate(LABELS)
    assert len(axes) == 2
    for boxes in axes:
        assert len(boxes) >= 2
        gaps = [right[0] - left[1] for left, right in itertools.pairwise(boxes)]
        assert min(gaps) >= 4


def test_a_mean_is_one_of_an_epoch_only_where_there_are_epochs(tmp_path):
    for epochs, name in ((0, "train, mean"), (4, "train, epoch mean")):
        run = MadeUpRun(epochs=epochs, length=100).per_step(Loss__train=made_up_runs.falling(400))
        run.per_epoch(Loss__train_epoch=[4, 3, 2, 1])
        history = run.read(tmp_path / f"run{epochs}")
        text = page.write(history, tmp_path / f"out{epochs}").read_text()
        assert name in Reader(text).words


# -- for everybody ---------------------------------------------------------------------------------


# Together these have everything that a page can have.
AUDITED = [made_up_runs.few_epochs, made_up_runs.classified, made_up_runs.named_classes, evil_run]


@pytest.mark.parametrize(("scheme", "width"), [("dark", 390), ("light", 1400)])
@pytest.mark.parametrize("made_up", AUDITED, ids=lambda run: run.__name__)
def test_an_audit_finds_no_barrier(made_up, width, scheme, opened):
    """WCAG 2 and good practice, as far as the tool axe can tell."""
    axe = Axe()
    viewport = {"width": width, "height": 900}
    shown = opened(made_up(), [FINDING], viewport=viewport, color_scheme=scheme)
    for details in shown.page.locator("details:not([open]) > summary").all():
        if details.is_visible():
            details.click()
    report = axe.run(shown.page).response
    assert len(report["passes"]) > 20, "the tool has looked at the page"
    found = [(v["id"], v["help"], v["nodes"][0]["html"][:200]) for v in report["violations"]]
    assert found == []


def test_the_audit_would_find_one(opened):
    axe = Axe()
    shown = opened(made_up_runs.few_epochs())
    shown.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<button></button>')")
    assert [v["id"] for v in axe.run(shown.page).response["violations"]] == ["button-name"]
