#!/usr/bin/env bash
# npm run proof [-- --only NAME…]: sets up what the tests and the benches need, then runs what shows each promise.
set -u -o pipefail
. "$(dirname "$0")/lib/setup.sh"
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

need_test_machine || exit 1

cd "$root" || exit 1
node scripts/lib/run.mjs scripts/proof/proof.ts "$@"
