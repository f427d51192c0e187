#!/usr/bin/env bash
# npm run quickstart [-- --exit] [--verbose]: from a fresh clone to a running, in-sync example.
set -u -o pipefail
. "$(dirname "$0")/lib/setup.sh"
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

say ''
say '  Stagely quickstart'
say ''
need_node &&
  need_packages &&
  need_docker_programs &&
  need_engine &&
  need_build || exit 1

cd "$root" || exit 1
child=
# The program below takes the example down on a signal; this shell passes it on, and waits.
trap : INT
trap '[ -n "$child" ] && kill -TERM "$child" 2>/dev/null' TERM HUP
node --import tsx scripts/quickstart/main.ts "$@" &
child=$!
# `wait` returns early for every signal; the child's own end is what counts.
while true; do
  wait "$child"
  status=$?
  if [ "$status" -lt 128 ] || ! kill -0 "$child" 2>/dev/null; then break; fi
done
exit "$status"
