#!/usr/bin/env bash
# npm test [-- PROJECT…]: sets up what is missing and runs every test, or only some projects (unit,
# services, budget). The last line is `N passed, N failed`, with `, N skipped` if any.
set -u -o pipefail
. "$(dirname "$0")/lib/setup.sh"
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

cd "$root" || exit 1
projects=("$@")
if [ ${#projects[@]} = 0 ]; then
  projects=(services budget)
  export STAGELY_TEST_BUNDLE=node_modules/.stagely-suite
fi

bundle_tests() {
  local files
  [ -n "${STAGELY_TEST_BUNDLE:-}" ] || return 0
  mapfile -t files < <(find test/{contract,integration,ui} src controller dashboard agent cli scripts -name '*.test.ts' -o -name '*.test.tsx')
  step 'bundle the tests' env GOGC=off node scripts/lib/bundle-tests.mjs "$STAGELY_TEST_BUNDLE" "${files[@]}"
}

if ! need_test_machine bundle_tests; then
  say '  the set-up failed; no test ran'
  echo '0 passed, 1 failed'
  exit 1
fi

# Tests call nobody outside, but for a database that was given. Node reads these authorities at each start, for 85 ms.
[ -n "${DATABASE_URL:-}" ] || unset NODE_EXTRA_CA_CERTS
results="$state_dir/results.json"
# Beside the tests: one thread of its own at their end would take as long again.
step 'generated files are fresh (npm run generate -- --check)' node scripts/lib/run.mjs scripts/generate.ts --check 2>"$state_dir/generated" &
generated_pid=$!
selected=()
for project in "${projects[@]}"; do selected+=(--project "$project"); done
# Without npx, and cheap for what does little: see test/support/short-lived.ts.
cheap=()
[ "$(node -p 'process.versions.node.split(".")[0] < 22')" = false ] || cheap=(--interrupt-budget=3000000)

# run_tests RESULTS.json [FILE]
run_tests() {
  node "${cheap[@]}" --single-threaded-gc --min-semi-space-size=64 --max-semi-space-size=64 \
    node_modules/vitest/vitest.mjs run "${selected[@]}" --passWithNoTests=false --reporter=default \
    --reporter=./scripts/lib/results-reporter.mjs --outputFile.json="$1" "${@:2}" </dev/null
}

run_tests "$results"
vitest_status=$?
fresh=pass
wait "$generated_pid" || fresh=fail
cat "$state_dir/generated" >&2

# A red file is run once more by itself: what is green then is unsteady, and is said to be.
again=()
mapfile -t red < <(node scripts/lib/summary.mjs --red "$results")
for file in "${red[@]}"; do
  say "  once more, by itself: ${file#"$root/"}"
  again+=("$state_dir/again-${#again[@]}.json")
  run_tests "${again[-1]}" "$file"
done

say ''
node scripts/lib/summary.mjs "$results" "$vitest_status" "generated files are fresh=$fresh" "${again[@]}"
