#!/bin/sh
# Installs what the Python and Node snippets of docs/platform.md need, into .tools/platform/ of the
# project: a venv by pip, node_modules by npm, each as pinned beside this script. What is there already
# and still fits is left alone. A runtime that is missing is named, and the other one is installed all
# the same; tests/suites/platform.rs then says what it skips.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tools=$(cd "$here/../.." && pwd)/.tools/platform

# fits STAMP FILE: whether STAMP is a copy of FILE, made when the installation was complete.
fits() { cmp -s "$1" "$2"; }

install_python() {
  if fits "$tools/python/pinned" "$here/requirements.txt"; then return; fi
  echo "platform: installing PyJWT into .tools/platform/python (pip)"
  rm -rf "$tools/python"
  python3 -m venv "$tools/python"
  "$tools/python/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$tools/python/pinned"
}

install_node() {
  if fits "$tools/node/pinned" "$here/package-lock.json"; then return; fi
  echo "platform: installing jose into .tools/platform/node (npm)"
  rm -rf "$tools/node"
  mkdir -p "$tools/node"
  cp "$here/package.json" "$here/package-lock.json" "$tools/node/"
  (cd "$tools/node" && npm ci --loglevel=error --no-audit --no-fund)
  cp "$here/package-lock.json" "$tools/node/pinned"
}

if command -v python3 >/dev/null; then install_python
else echo "platform: no python3 here (Debian: apt-get install python3-venv)" >&2; fi
if command -v npm >/dev/null; then install_node
else echo "platform: no npm here (Debian: apt-get install nodejs npm)" >&2; fi
