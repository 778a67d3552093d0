#!/usr/bin/env bash
# Rebuilds the vendored files of modelserver/pages from the npm packages that vendored.txt names: the
# same bytes each time. For a new version: change it there, run this, and put the hash that it
# prints there too.
# Needs npm and Python (PYTHON=… for another one than python3).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
table=$here/vendored.txt
assets=$(cd "$here/../../../modelserver/pages/assets" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# npm pack only downloads; npm install would run the packages' scripts.
for package in $(grep -v '^#' "$table" | awk '{print $1 "@" $2}' | sort -u); do
    (cd "$work" && npm pack --silent "$package" >/dev/null)
    mkdir "$work/${package%@*}"
    tar -xzf "$work/${package%@*}-${package#*@}.tgz" -C "$work/${package%@*}" --strip-components 1
done

mkdir -p "$assets/../licences"
while read -r package version file name sha256; do
    source=$work/$package/$file
    found=$(sha256sum "$source" | cut -d ' ' -f 1)
    if [ "$found" != "$sha256" ]; then
        echo "$package $version $file: sha256 is $found, not $sha256" >&2
        exit 1
    fi
    case $name in
        *.js | *.css) "${PYTHON:-python3}" -c '
import lzma, sys
sys.stdout.buffer.write(lzma.compress(sys.stdin.buffer.read(), preset=9 | lzma.PRESET_EXTREME))
' <"$source" >"$assets/$name.xz" ;;
        *) cp "$source" "$assets/$name" && chmod 644 "$assets/$name" ;;
    esac
done < <(grep -v '^#' "$table")
echo "rebuilt; modelserver/pages/assets has $(find "$assets" "$assets/../licences" -type f -printf '%s\n' | awk '{s += $1} END {print s}') bytes"
