"""The entry: environment to settings to `app`. `python main.py` serves it with uvicorn, or runs the
command that its arguments name."""

import os
import signal
import sys
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.applications import Starlette

if sys.version_info < (3, 10):  # noqa: UP036 - older ones cannot even import what follows
    raise SystemExit(f"Python 3.10 or newer is needed; this is {sys.version.split()[0]}")

if __name__ == "__main__" and sys.argv[1:]:
    from modelserver.deployment.commands import run

    sys.exit(run(sys.argv[1:], os.environ))

if __name__ != "main" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Until the server handles Ctrl-C, it ends this process, also one of several, without words.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from modelserver.hosting.log import configure_logging, keep_streams_safe, name_process
from modelserver.hosting.memory import collector_paused, share_heap

keep_streams_safe()
share_heap()  # before other modules are imported: some of pandas' packages start threads then


def advice(error: Exception) -> str:
    """What to do if a package is missing; empty for any other error."""
    name = str(getattr(error, "name", ""))
    if not isinstance(error, ModuleNotFoundError) or name.startswith("modelserver"):
        return ""
    return f"main.py: there is no {name} in this environment; pip install -r requirements.txt"


try:
    with collector_paused():
        from modelserver.hosting.processes.early_app import NO_APP, EarlyApp
        from modelserver.hosting.settings import read_settings
        from modelserver.hosting.variables import StartError

        if __name__ != "main":
            from modelserver.hosting.processes.serving import serve
except ModuleNotFoundError as error:
    if said := advice(error):
        raise SystemExit(said) from None
    raise

try:
    settings = read_settings(os.environ)
except StartError as error:
    raise SystemExit(f"cannot start: {error}") from None

if settings.processes > 1 and __name__ != "main":  # other servers' processes are their own matter
    name_process()

# Now, since requests may be refused before there is an app.
configure_logging(settings.log_level, settings.secrets)


def make_app() -> "Starlette":
    """The app. It imports pandas and what else takes long, and runs when the server listens."""
    with collector_paused():
        from modelserver.app import create_app
    return create_app(settings)


def give_up(error: Exception) -> None:
    """Ends the process, which listens already, since no app can be made for it."""
    if said := f"the server ends: {error}" if isinstance(error, StartError) else advice(error):
        print(said, file=sys.stderr)
    else:
        traceback.print_exception(error)
    sys.stderr.flush()
    os._exit(NO_APP)


app = EarlyApp(make_app, give_up)

if __name__ == "__main__":
    serve(app, settings)
