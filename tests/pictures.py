"""Makes the pictures of the pages that the README shows.

    python -m tests.pictures

The sample model is served, and each page is drawn by a headless Chromium in a few colours.
"""

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from modelserver.app import create_app
from modelserver.settings import read_settings
from tests.browser import chromium, deployed
from tests.zoo import save_wine

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
    "page": (landing, 1080, 900, "light"),
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


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        model = save_wine(Path(folder) / "wine")
        app = create_app(read_settings({"MODEL_URI": str(model)}))
        with deployed(app, "root") as url, chromium() as browser:
            for name in PICTURES:
                draw(browser, name, url)


if __name__ == "__main__":
    main()
