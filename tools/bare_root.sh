#!/bin/sh
# Proves a command of the README on a machine that has nothing: a fresh minimal Debian 12.
#
#   tools/bare_root.sh                                 # apt-get install make, then `make test`
#   tools/bare_root.sh 'apt-get update && apt-get install -y make && make demo'
#
# Needs root and mmdebstrap. The tree is what git tracks; `UNTRACKED=1` adds new files that git does
# not ignore. `KEEP=1` leaves the root behind for a look. Package sources, certificates and settings
# for apt, pip and npm are this machine's own, so it works behind a mirror too.
#
# All mounts live in a namespace that ends with this script: nothing of the host's can be left
# mounted inside a directory that is about to be removed.
set -eu
cd "$(dirname "$0")/.."
command=${1:-'apt-get update && apt-get install -y make && make test'}

die() { echo "$*" >&2; exit 1; }
[ "$(id -u)" -eq 0 ] || die "This has to run as root: it makes a root file system and enters it."
command -v mmdebstrap >/dev/null || die "mmdebstrap is missing: apt-get install -y mmdebstrap"

work=$(mktemp -d "${TMPDIR:-/var/tmp}/bare-root.XXXXXX")
chmod 755 "$work"
bare=$work/root
finish() {
  if [ -n "${KEEP:-}" ]; then echo "kept: $bare" >&2; else rm -rf --one-file-system "$work"; fi
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# --- a minimal Debian 12 from this machine's own sources -----------------------------------------

sources() {
  # Only Debian's own entries: anything else this machine uses would make the root less bare.
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -e "$file" ] && grep -q bookworm "$file" && grep -q debian-archive "$file" && {
      grep -v '^#' "$file"
      echo
    }
  done
  [ ! -e /etc/apt/sources.list ] || grep -E '^deb .*bookworm' /etc/apt/sources.list || :
}

sources >"$work/debian.sources"
apt-config dump | grep -iE '^Acquire::(https?::|Retries|Check-)' >"$work/apt.conf" || :

echo "==> mmdebstrap --variant=minbase bookworm" >&2
set -- --variant=minbase --quiet --aptopt="$work/apt.conf"
if [ -s "$work/debian.sources" ]; then
  mmdebstrap "$@" bookworm "$bare" "$work/debian.sources"
else
  mmdebstrap "$@" bookworm "$bare"
fi

# --- the network as this machine sees it ---------------------------------------------------------

for file in /etc/resolv.conf /etc/hosts; do
  [ ! -e "$file" ] || cp --dereference "$file" "$bare$file"
done
for file in /etc/pip.conf /etc/npmrc; do
  [ ! -e "$file" ] || cp --dereference "$file" "$bare$file"
done

# Settings by environment. Certificates go to a path of their own, since installing Debian's
# ca-certificates inside would overwrite the usual one; variables that name them are turned there.
bundle=${PIP_CERT:-${SSL_CERT_FILE:-${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}}}
if [ -e "$bundle" ]; then cp --dereference "$bundle" "$bare/etc/host-certificates.pem"; fi

settings() {
  for name in PIP_CERT SSL_CERT_FILE NODE_EXTRA_CA_CERTS REQUESTS_CA_BUNDLE CURL_CA_BUNDLE; do
    if [ -e "$bundle" ] && printenv "$name" >/dev/null; then
      echo "$name=/etc/host-certificates.pem"
    fi
  done
  env | grep -E '^(PIP_(INDEX_URL|EXTRA_INDEX_URL|DEFAULT_TIMEOUT|TRUSTED_HOST|PROXY|RETRIES)|npm_config_(registry|proxy|https_proxy|cafile)|(https?|no|all)_proxy|(HTTPS?|NO|ALL)_PROXY)=' || :
}

# --- the tree ------------------------------------------------------------------------------------

mkdir -p "$bare/root/wallflower"
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
  if [ -n "${UNTRACKED:-}" ]; then
    git ls-files -z --cached --others --exclude-standard
  else
    git ls-files -z
  fi >"$work/names"
else
  find . -name .venv -prune -o -name node_modules -prune -o -type f -print0 >"$work/names"
fi
[ -s "$work/names" ] || die "There is nothing to copy: git tracks no file here (UNTRACKED=1?)."
tar --create --null --files-from="$work/names" --ignore-failed-read |
  tar --extract --directory "$bare/root/wallflower"

# --- run -----------------------------------------------------------------------------------------

settings >"$work/settings"
cat >"$bare/root/run" <<END
set -eu
cd /root/wallflower
$command
END

echo "==> in a bare Debian 12: $command" >&2
# shellcheck disable=SC2016  # expanded inside
unshare --mount --pid --fork --propagation private sh -c '
  set -eu
  bare=$1
  settings=$2
  mount -t proc proc "$bare/proc"
  mount --rbind /dev "$bare/dev"
  mount -t tmpfs tmpfs "$bare/dev/shm"
  mount -t tmpfs tmpfs "$bare/run"
  set --
  while IFS= read -r line; do set -- "$@" "$line"; done <"$settings"
  exec env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    TERM="${TERM:-dumb}" LANG=C.UTF-8 "$@" chroot "$bare" bash /root/run
' sh "$bare" "$work/settings"
echo "==> passed on a bare Debian 12: $command" >&2
