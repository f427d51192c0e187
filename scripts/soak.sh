#!/usr/bin/env bash
# npm run soak [-- FILE…]: the long forms of the tests that have one (test/support/soak.ts), or of those
# files alone. One file at a time, as each measures; each says its counts.
set -u -o pipefail
. "$(dirname "$0")/lib/setup.sh"
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

cd "$root" || exit 1
need_test_machine || exit 1
files=("$@")
[ ${#files[@]} = 0 ] &&
  mapfile -t files < <(grep -rl --include='*.test.ts' 'support/soak.ts' src controller dashboard agent cli test)
STAGELY_SOAK=1 npx vitest run --no-file-parallelism --test-timeout=7200000 --reporter=verbose "${files[@]}" </dev/null
