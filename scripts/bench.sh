#!/usr/bin/env bash
# npm run bench [-- --json] [--size small|full] [--only pure|store|processes]
set -u -o pipefail
. "$(dirname "$0")/lib/setup.sh"
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

need_node &&
  need_packages &&
  need_programs 'docker.io=command -v docker' 'docker-compose=docker compose version' \
    'busybox-static=command -v busybox' 'postgresql=ls /usr/lib/postgresql/*/bin/initdb || command -v initdb' &&
  need_engine &&
  need_build || exit 1

cd "$root" || exit 1
node --import tsx test/bench/main.ts "$@"
