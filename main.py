"""The entry: environment to settings to `app`. `python main.py` serves it with uvicorn."""

import os

from modelserver.app import create_app
from modelserver.serve import end_with_parent, serve
from modelserver.settings import SettingsError, read_settings

try:
    settings = read_settings(os.environ)
except SettingsError as error:
    raise SystemExit(f"cannot start: {error}") from None

app = create_app(settings)

if __name__ == "__main__":
    serve(app, settings)
else:
    end_with_parent()  # where this is one of several processes
