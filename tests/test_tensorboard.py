"""A real TensorBoard: its server serves the numbers of the record, a browser shows the charts."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import mnist
import numpy as np
import pytest
from matplotlib.image import imread as read_png

import autotrack

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
SCREENSHOTS = Path(__file__).resolve().parent.parent / "build/tensorboard"
PATIENCE = 60  # seconds; only a broken server is ever waited for that long
WEIGHT = "Weights/1.weight"


class Dashboard:
    """A running TensorBoard server and the run it shows."""

    def __init__(self, url, directory):
        self.url = url
        self.run = directory.name
        self.history = autotrack.read(directory)

    def get(self, path, **query):
        """Return the JSON that the server answers."""
        address = f"{self.url}data/{path}?{urllib.parse.urlencode(query)}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(address, timeout=PATIENCE) as answer:
            return json.load(answer)

    def tags(self, plugin):
        """The tags of the run that a plugin lists."""
        return set(self.get(f"plugin/{plugin}/tags").get(self.run, ()))


def wait_for(condition):
    """Call `condition` until it returns something true, and return that."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    pytest.fail("waited in vain")


@pytest.fixture(scope="module")
def dashboard(mnist_root, tmp_path_factory):
    """TensorBoard on the log directory of the tracked MNIST example, stopped by its own handle."""
    logs = tmp_path_factory.mktemp("logs")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AUTOTRACK_METRICS", "+images,+pr_curve,+embeddings")
        mnist.main(mnist_root, logs / "mnist")
    output = tmp_path_factory.mktemp("server") / "output.txt"
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", logs]
    with output.open("w") as out:
        server = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", "0"], stdout=out, stderr=out
        )
    try:
        address = wait_for(lambda: re.search(r"http://127\.0\.0\.1:\d+/", output.read_text()))
        board = Dashboard(address.group(), logs / "mnist")
        wait_for(lambda: board.tags("histograms"))
        yield board
    finally:
        server.terminate()
        server.wait(PATIENCE)


def test_the_server_lists_the_scalars_and_nothing_of_ours_besides(dashboard):
    assert dashboard.tags("scalars") == set(dashboard.history.series)
    assert {"Loss/train", "Accuracy/train", "Loss/test", "Accuracy/test"} <= dashboard.tags(
        "scalars"
    )


def test_the_server_serves_the_numbers_of_the_history(dashboard):
    for tag, series in dashboard.history.series.items():
        points = dashboard.get("plugin/scalars/scalars", run=dashboard.run, tag=tag)
        times, steps, values = zip(*points, strict=True)
        np.testing.assert_array_equal(steps, series.x, err_msg=tag)
        np.testing.assert_array_equal(np.float32(values), series.value, err_msg=tag)
        np.testing.assert_allclose(times, series.time, rtol=0, atol=1e-3, err_msg=tag)


def test_the_server_serves_every_histogram(dashboard):
    assert dashboard.tags("histograms") == set(dashboard.history.histograms)
    points = dashboard.get("plugin/histograms/histograms", run=dashboard.run, tag=WEIGHT)
    steps, counts = zip(
        *((step, sum(c for *_, c in bins)) for _, step, bins in points), strict=True
    )
    np.testing.assert_array_equal(steps, dashboard.history.histograms[WEIGHT].step)
    # TensorBoard spreads the counts over buckets of its own, the whole stays
    np.testing.assert_allclose(counts, 784 * 128, rtol=1e-9)


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium; in CI it must be there."""
    if not Path(CHROMIUM).exists():
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed: the dashboard cannot be looked at")
        pytest.skip("Chromium is not installed")
    playwright = pytest.importorskip("playwright.sync_api")
    # The projector needs WebGL, which a machine without a graphics card reckons in software.
    software = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    arguments = ["--no-sandbox", "--disable-background-networking", *software]
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    """A fresh page that waits long enough for a slow machine."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(PATIENCE * 1000)
    yield page
    page.close()


def keep(page, name):
    """Keep what the browser shows, for a person to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def coloured_pixels(element):
    """How many pixels of an element are not grey, as grids and labels are."""
    pixels = read_png(io.BytesIO(element.screenshot()))[:, :, :3]
    return int((np.ptp(pixels, axis=2) > 0.08).sum())


def dark_pixels(element):
    """How many pixels of an element are nearly black."""
    pixels = read_png(io.BytesIO(element.screenshot()))[:, :, :3]
    return int((pixels.max(axis=2) < 0.25).sum())


def test_the_browser_shows_the_time_series(dashboard, page):
    page.goto(f"{dashboard.url}?tagFilter=Loss%2Ftrain%24#timeseries")
    card = page.locator("scalar-card").filter(has=page.get_by_title("Loss/train", exact=True))
    wait_for(lambda: coloured_pixels(card.locator("line-chart canvas").first) > 200)
    row = card.locator("tb-data-table-content-row")
    row.first.wait_for()
    loss = dashboard.history["Loss/train"]
    # the table under the chart shows the last point: its value, smoothed and as it is, and its step
    assert str(loss.x[-1]) in row.inner_text().split()
    assert f"{loss.value[-1]:.4f}".rstrip("0") in row.inner_text().split()
    keep(page, "time_series")


def test_the_browser_shows_the_scalars(dashboard, page):
    page.goto(f"{dashboard.url}#scalars&tagFilter=Accuracy")
    for tag in ("Accuracy/train", "Accuracy/test"):
        card = page.locator("tf-scalar-card").filter(has_text=f"tag: {tag}").first
        line = card.locator("vz-line-chart2 path[d*=L]").first
        line.wait_for(state="attached")
    keep(page, "scalars")


def test_the_browser_shows_the_histograms(dashboard, page):
    page.goto(f"{dashboard.url}#histograms&tagFilter={urllib.parse.quote(WEIGHT, safe='')}")
    card = page.locator("tf-histogram-loader").filter(has_text=f"tag: {WEIGHT}").first
    card.locator("vz-histogram-timeseries .histogram path").first.wait_for(state="attached")
    drawn = card.locator("vz-histogram-timeseries .histogram").count()
    assert drawn == len(dashboard.history.histograms[WEIGHT].step)
    keep(page, "histograms")


def test_the_server_serves_the_other_tabs(dashboard):
    assert dashboard.get("plugin/projector/runs") == [dashboard.run]
    address = "plugin/projector/info"
    (shown,) = dashboard.get(address, run=dashboard.run)["embeddings"]
    assert shown["tensorName"] == "test"
    assert dashboard.tags("images") == {"Images/test"}
    assert dashboard.tags("pr_curves") == {f"PrecisionRecall/test/{label}" for label in range(10)}
    (category,) = dashboard.get("plugin/custom_scalars/layout")["category"]
    assert [chart["title"] for chart in category["chart"]] == ["Loss", "Accuracy"]


@pytest.mark.parametrize(
    ("tab", "shown"),
    [
        ("graphs", "tf-graph-scene text:has-text('NllLoss')"),
        ("custom_scalars", "tf-custom-scalar-dashboard path[d*=L]"),
        ("distributions", "vz-distribution-chart path[d*=L]"),
        ("text", "tf-text-loader td:has-text('steps of optimizer')"),
        ("hparams", "vaadin-grid-cell-content:has-text('mnist')"),
        ("images", "tf-image-loader img"),
        ("pr_curves", "tf-pr-curve-card path[d*=L]"),
    ],
)
def test_the_browser_shows_the_other_tabs(dashboard, page, tab, shown):
    page.goto(f"{dashboard.url}#{tab}")
    page.locator(shown).first.wait_for(state="attached")
    keep(page, tab)


def test_the_browser_shows_the_points_of_the_projector(dashboard, page):
    page.goto(f"{dashboard.url}#projector")
    frame = page.frame_locator("iframe").frame_locator("iframe")
    frame.get_by_text(re.compile("Points: 1000")).wait_for()
    # The digits themselves, white on black, stand on white paper: nothing else is so dark.
    wait_for(lambda: dark_pixels(frame.locator("#scatter canvas").first) > 2000)
    keep(page, "projector")
