"""The pages against axe-core's rules, wide and narrow, light and dark."""

import re
import shutil
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from modelserver.app import create_app
from modelserver.hosting.settings import read_settings
from tests.support.browser import deployed
from tests.support.needs import node_module
from tests.support.zoo import SlowModel

pytestmark = pytest.mark.repeats

Base = Callable[..., str]
Open = Callable[..., Page]

WIDTHS = (1280, 360)
COLOURS: tuple[Literal["light", "dark"], ...] = ("light", "dark")

RUN = """
async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  const grave = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  const place = ({ target, failureSummary }) => `${target}: ${failureSummary}`;
  return grave.map(({ id, nodes }) => [id, nodes.map(place)]);
}
"""


def violations(page: Page) -> list[tuple[str, str, list[str]]]:
    """The places of serious and critical violations, by look of the page and by rule."""
    page.evaluate(node_module("axe-core/axe.min.js").read_text())
    found = []
    for width, colours in product(WIDTHS, COLOURS):
        page.set_viewport_size({"width": width, "height": 800})
        # Else colours would be seen while they change.
        page.emulate_media(color_scheme=colours, reduced_motion="reduce")
        look = f"{width} {colours}"
        found += [(look, rule, places) for rule, places in page.evaluate(RUN)]
    return found


def fits(page: Page) -> bool:
    """Whether nothing is wider than the window."""
    too_wide = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        too_wide.append(page.evaluate("document.documentElement.scrollWidth > innerWidth"))
    return not any(too_wide)


@pytest.mark.parametrize("name", ["wine", "nested", "with_params", "chat", "no_signature"])
def test_a_ready_models_page(name: str, base: Base, visit: Open) -> None:
    page = visit(base(name))
    assert violations(page) == []
    assert fits(page)


def test_answers_and_errors(base: Base, visit: Open) -> None:
    page = visit(base("wine"), allowed=re.compile(" 400 "))
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_role("region", name="Predictions")).to_be_visible()
    assert violations(page) == []
    page.get_by_label("Answer").select_option("CSV")
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_role("region", name="Predictions")).to_have_text(re.compile("cultivar 1"))
    assert violations(page) == []
    page.get_by_label("alcohol").fill("much")
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("alcohol")
    assert violations(page) == []
    assert fits(page)


def test_columns_that_may_be_kept(base: Base, visit: Open, tmp_path: Path) -> None:
    page = visit(base("delicate"), allowed=re.compile(" 400 "))
    (tmp_path / "t.csv").write_text(f"{'i' * 70},a,b,how\n1,2,3,x\n")
    page.get_by_label("CSV file").set_input_files(tmp_path / "t.csv")
    page.get_by_role("button", name="Predict the file").click()
    expect(page.get_by_role("alert").get_by_role("button")).to_be_visible()
    assert violations(page) == []
    assert fits(page)


@pytest.mark.parametrize(
    ("environment", "text"),
    [
        ({}, "Not configured"),
        ({"POSIT_PRODUCT": "CONNECT"}, "Vars"),
        ({"MODEL_URI": "/nowhere/model"}, "there is no folder model"),
    ],
)
def test_states(environment: dict[str, str], text: str, visit: Open) -> None:
    with deployed(create_app(read_settings(environment)), "root") as url:
        page = visit(url, allowed=re.compile(" 503 "))
        expect(page.get_by_text(text).first).to_be_visible()
        assert violations(page) == []
        assert fits(page)


def test_loading(visit: Open, slow_model: SlowModel) -> None:
    with deployed(create_app(read_settings({"MODEL_URI": str(slow_model.path)})), "root") as url:
        page = visit(url)
        expect(page.get_by_role("progressbar")).to_be_visible()
        assert violations(page) == []
        assert fits(page)


def test_a_warning_beside_the_state(
    model_path: Callable[[str], Path], tmp_path: Path, visit: Open
) -> None:
    folder = shutil.copytree(model_path("wine"), tmp_path / "model")
    (folder / "serving_input_example.json").write_text('{"inputs": {"alcohol": ["much"]}}')
    with deployed(create_app(read_settings({"MODEL_URI": str(folder)})), "root") as url:
        page = visit(url)
        expect(page.get_by_text("Ready, with a warning")).to_be_visible()
        expect(page.locator(".warning")).to_contain_text("could not be predicted")
        expect(page.get_by_text("The values are made up from the signature")).to_be_visible()
        expect(page.get_by_label("alcohol")).to_have_value("0.5")
        assert violations(page) == []
        assert fits(page)


def test_swagger_ui(base: Base, visit: Open) -> None:
    page = visit(base("wine"), "docs")
    page.get_by_role("button", name=re.compile("invocations")).first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table .response")).to_contain_text("cultivar 1")
    # The bar of an operation is a button that holds a link: markup that no style can change.
    assert [
        (look, rule, place)
        for look, rule, places in violations(page)
        for place in places
        if not (rule == "nested-interactive" and ".opblock-summary-control" in place)
    ] == []


def test_redoc(base: Base, visit: Open) -> None:
    page = visit(base("wine"), "redoc")
    expect(page.get_by_role("heading", name="wine").first).to_be_visible()
    assert violations(page) == []
