"""The entry: environment to settings to `app`. `python main.py` serves it with uvicorn, or runs the
command that its arguments name."""

import os
import signal
import sys

if sys.version_info < (3, 10):  # noqa: UP036 - older ones cannot even import what follows
    raise SystemExit(f"Python 3.10 or newer is needed; this is {sys.version.split()[0]}")

if __name__ == "__main__" and sys.argv[1:]:
    from modelserver.deployment.commands import run

    sys.exit(run(sys.argv[1:], os.environ))

if __name__ != "main" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Until the server handles Ctrl-C, it ends this process, also one of several, without words.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from modelserver.hosting.log import keep_streams_safe
from modelserver.hosting.memory import collector_paused, share_heap

keep_streams_safe()
share_heap()  # before other modules are imported: some of pandas' packages start threads then

try:
    with collector_paused():
        from modelserver.app import create_app
        from modelserver.describing.document import BaseError
        from modelserver.hosting.processes import serve
        from modelserver.hosting.settings import read_settings
        from modelserver.hosting.variables import SettingsError
except ModuleNotFoundError as error:
    if str(error.name).startswith("modelserver"):
        raise
    said = f"main.py: there is no {error.name} in this environment; pip install -r requirements.txt"
    raise SystemExit(said) from None

try:
    settings = read_settings(os.environ)
    app = create_app(settings)
except (SettingsError, BaseError) as error:
    raise SystemExit(f"cannot start: {error}") from None

if __name__ == "__main__":
    serve(app, settings)
