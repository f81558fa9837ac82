#!/bin/sh
# The suite in three parts, of which each has the machine to itself: what sits through a clock and has
# room to spare (marked `waits`), all files at once; what a busy machine changes, by a clock or by what is
# written when there is time (`alone`), one by one; then what waits for conditions, a few at a time.
#
#   tools/tests.sh              everything but what is marked nightly
#   tools/tests.sh ARGUMENTS    one pytest with these
set -u
cd "$(dirname "$0")/.."
[ $# -eq 0 ] || exec pytest -rs "$@"

# The files in which such a mark is written: reading all others only to leave them out takes 5 s.
marked() { grep -rlE --include='test_*.py' "mark\.$1\b" tests | LC_ALL=C sort; }

# shellcheck disable=SC2046  # a list of files
pytest -rs -n 2 --dist loadfile -m "waits and not nightly" $(marked waits)
waits=$?
# shellcheck disable=SC2046
pytest -rs -m "alone and not nightly" $(marked alone)
alone=$?
# Browsers and processes wait more than they compute: one more at a time than there are cores. In the
# order of tests/conftest.py, which puts the long ones first.
pytest -rs -n "$(($(nproc) + 1))" --dist loadfile --no-loadscope-reorder -m "not nightly and not alone and not waits"
together=$?
[ "$waits" -eq 0 ] || echo "The first part failed: its summary stands above the second part's"
[ "$alone" -eq 0 ] || echo "The second part failed: its summary stands above the third part's"
exit $((waits | alone | together))
