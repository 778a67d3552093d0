"""Makes the pictures of the pages that the README shows.

    python -m tests.support.make_pictures

The sample model is served, and each page is drawn by a headless Chromium in a few colours.
"""

import io
import tempfile
from pathlib import Path

import mlflow
from PIL import Image
from playwright.sync_api import Browser, Page

import example_test
from modelserver.app import create_app
from modelserver.hosting.settings import read_settings
from tests.support.browser import chromium, deployed

FOLDER = Path(__file__).parent / "pictures"
LARGEST = 60_000
"""Bytes of a picture."""


def landing(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("button", name="Predict", exact=True).click()
    page.get_by_role("region", name="Predictions").wait_for()


def swagger_ui(page: Page, url: str) -> None:
    page.goto(f"{url}docs")
    page.get_by_role("button", name="invocations").first.click()
    page.get_by_role("button", name="Try it out").wait_for()


def redoc(page: Page, url: str) -> None:
    page.goto(f"{url}redoc")
    page.get_by_role("tab", name="curl").first.click()


PICTURES = {
    "page": (landing, 1080, 1000, "light"),
    "page-phone-dark": (landing, 390, 844, "dark"),
    "swagger-ui": (swagger_ui, 1080, 900, "light"),
    "redoc": (redoc, 1280, 900, "light"),
}


def draw(browser: Browser, name: str, url: str) -> None:
    """One picture, of as many colours as its size allows."""
    prepare, width, height, scheme = PICTURES[name]
    viewport = {"width": width, "height": height}
    page = browser.new_page(viewport=viewport, color_scheme=scheme)  # type: ignore[arg-type]
    prepare(page, url)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    file = FOLDER / f"{name}.png"
    for colours in (64, 32, 16):
        picture.quantize(colours, dither=Image.Dither.NONE).save(file, optimize=True)
        if file.stat().st_size <= LARGEST:
            return
    raise SystemExit(f"{file} is larger than {LARGEST} bytes")


def registered(folder: str) -> str:
    """The URI of the sample model in a registry of its own."""
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("wine", f"{folder}/artifacts"))
    table, cultivars = example_test.wine_table()
    _, uri = example_test.log_and_register(example_test.train(table, cultivars), table.head(1))
    client = mlflow.MlflowClient()
    client.update_model_version("wine", "1", "Which of three cultivars a wine comes from.")
    return uri


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(read_settings({"MODEL_URI": registered(folder)}))
        with deployed(app, "root") as url, chromium() as browser:
            for name in PICTURES:
                draw(browser, name, url)


if __name__ == "__main__":
    main()
