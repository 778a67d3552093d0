#!/usr/bin/env bash
# Installs a model's packages, or with --update merges them into requirements.txt. The work is done
# by `python main.py install` and `update`, with the Python of the current environment.
set -euo pipefail

here="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
python="$(command -v python || command -v python3 || true)"
if [ -z "$python" ]; then
    echo "install_model_deps.sh: there is no python on the PATH; activate the server's environment" >&2
    exit 1
fi

command=install
arguments=()
for argument; do
    if [ "$argument" = --update ]; then command=update; else arguments+=("$argument"); fi
done
# Older versions of bash take an empty array for one that is not set.
exec "$python" "$here/main.py" "$command" ${arguments[@]+"${arguments[@]}"}
