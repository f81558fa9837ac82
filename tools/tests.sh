#!/bin/sh
# Style, types and borders; then the suite in four parts. Three follow one another: what sits through a
# clock and has room to spare (marked `waits`), two at once; what a busy machine changes, by a clock or by
# what is written when there is time (`alone`), one by one; then what waits for conditions, a few at a time.
# Beside all of it run the page's own tests and what computes and waits for nobody, in the kernel's idle
# class: it takes only what the others leave, and types need one core of two.
#
#   tools/tests.sh              everything but what is marked nightly
#   tools/tests.sh ARGUMENTS    style and types, then one pytest with these
set -u
cd "$(dirname "$0")/.."
lint() { make --no-print-directory --assume-old=setup lint; }  # who runs this has set up

if [ $# -gt 0 ]; then
  lint || exit 1
  exec pytest -rs "$@"
fi

# Where no bytecode may be kept, each of a dozen processes compiles all tests anew.
unset PYTHONDONTWRITEBYTECODE

rest="not nightly and not alone and not waits"

# The files in which such a mark is written: reading all others only to leave them out takes 5 s.
marked() { grep -rlE --include='test_*.py' "mark\.$1\b" tests | LC_ALL=C sort; }

low="chrt --idle 0"
$low true 2>/dev/null || low="nice -n 19"
# What computes, and the last part, write to memory where there is room: files and their flushing were
# a seventh of it, and tests about disks mount their own. Nothing of it stays; run a red test alone to
# see its files. What is measured or compared writes to a disk, as people's browsers do.
room=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)
own=$(if [ "${room:-0}" -ge 1048576 ]; then mktemp -d -p /dev/shm; else mktemp -d; fi) || exit 1
spread="--dist loadfile --no-loadscope-reorder -o tmp_path_retention_policy=failed"
setsid $low sh -c "(cd page && npm test) && pytest -rs -n 2 $spread \\
  --basetemp '$own/computes' -m '$rest and computes'" >"$own/said" 2>&1 &
beside=$!
trap 'kill -- "-$beside" 2>/dev/null; rm -rf "$own"' EXIT
trap 'exit 130' INT TERM

lint || exit 1
# shellcheck disable=SC2046  # a list of files
pytest -rs -n 2 --dist load -m "waits and not nightly" $(marked waits)
waits=$?
# shellcheck disable=SC2046
pytest -rs -m "alone and not nightly" $(marked alone)
alone=$?
# Browsers and processes wait more than they compute: three times as many at a time as there are cores. In
# the order of tests/conftest.py, which puts the long ones first.
# shellcheck disable=SC2086  # words
pytest -rs -n "$((3 * $(nproc)))" $spread --basetemp "$own/rest" -m "$rest and not computes"
together=$?
wait "$beside"
beside_rc=$?
cat "$own/said"
[ "$waits" -eq 0 ] || echo "The first part failed: its summary stands above the second part's"
[ "$alone" -eq 0 ] || echo "The second part failed: its summary stands above the third part's"
[ "$together" -eq 0 ] || echo "The third part failed: its summary stands above the last one's"
exit $((waits | alone | together | beside_rc))
