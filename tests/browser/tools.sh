#!/bin/sh
# What tests/browser needs beside Rust and Envoy: Chromium with its driver, by apt-get where this user may
# install packages, and Gradio 6 and 3 as pinned in tests/tools, into .tools/. What is there already and
# still fits is left alone. What is missing and cannot be installed is named, and the rest is installed all
# the same; tests/browser/suites/browser.rs then says what it skips.
set -eu
cd "$(dirname "$0")/../.."

readonly PACKAGES="chromium chromium-driver python3-venv"

say() { echo "browser: $*" >&2; }

# Whether apt-get can install, and with what before it.
root() {
  command -v apt-get >/dev/null || return 1
  if [ "$(id -u)" = 0 ]; then return; fi
  sudo -n true 2>/dev/null && echo sudo
}

installed() {
  chromium --version >/dev/null 2>&1 && chromedriver --version >/dev/null 2>&1 &&
    python3 -c 'import venv, ensurepip' 2>/dev/null
}

install_packages() {
  if as=$(root); then
    say "installing $PACKAGES (apt-get)"
    $as apt-get update -qq || return 0
    # shellcheck disable=SC2086 # several packages are several words
    $as env DEBIAN_FRONTEND=noninteractive \
      apt-get install -qq -y --no-install-recommends $PACKAGES >/dev/null || return 0
  fi
}

installed || install_packages
installed || say "Chromium, its driver or Python's venv is missing (Debian: apt-get install $PACKAGES)"
for gradio in gradio-6 gradio-3; do
  tests/tools/python-venv "$gradio" "tests/tools/$gradio.txt" >/dev/null || say "$gradio is missing"
done
