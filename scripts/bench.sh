#!/usr/bin/env bash
# npm run bench [-- --json] [--size small|full] [--changes N] [--stacks NAME,…] [--only GROUP]
set -u -o pipefail
. "$(dirname "$0")/lib/setup.sh"
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

need_node &&
  need_packages &&
  need_docker_programs &&
  need_programs 'postgresql=ls /usr/lib/postgresql/*/bin/initdb || command -v initdb' &&
  need_moto &&
  need_engine &&
  need_build || exit 1

cd "$root" || exit 1
node --import tsx test/bench/main.ts "$@"
