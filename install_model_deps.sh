#!/usr/bin/env bash
# Installs a model's packages, or merges them into requirements.txt: ./install_model_deps.sh --help
# The work is done by modelserver/deployment/install.py, with the Python of the current environment.
set -euo pipefail

here="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
python="$(command -v python || command -v python3 || true)"

fail() {
    echo "install_model_deps.sh: $1" >&2
    exit 1
}

[ -n "$python" ] || fail "there is no python on the PATH; activate the server's environment"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    fail "Python 3.10 or newer is needed; $python is older"
"$python" -c 'import sys; from importlib.util import find_spec as find
sys.exit(not all(map(find, ("mlflow", "packaging", "pandas"))))' ||
    fail "$python has no MLflow; activate the server's environment, or: pip install -r $(printf %q "$here/requirements.txt")"

# The folder of this script takes the place of the current one, which may have a modelserver too.
exec "$python" -c 'import sys; sys.path[0] = sys.argv.pop(1)
from modelserver.deployment.install import run; run()' "$here" "$@"
