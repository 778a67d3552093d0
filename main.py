"""The entry: environment to settings to `app`. `python main.py` serves it with uvicorn."""

import os

from modelserver.app import create_app
from modelserver.openapi import BaseError
from modelserver.serve import serve
from modelserver.settings import SettingsError, read_settings

try:
    settings = read_settings(os.environ)
    app = create_app(settings)
except (SettingsError, BaseError) as error:
    raise SystemExit(f"cannot start: {error}") from None

if __name__ == "__main__":
    serve(app, settings)
