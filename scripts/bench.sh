#!/usr/bin/env bash
# npm run bench [-- --json] [--size small|full] [--changes N] [--stacks NAME,…] [--only GROUP]
# npm run bench -- --beside COMMIT [--turns N] […]: in turns with that commit.
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
commit='' turns=3 flags=()
while [ $# -gt 0 ]; do
  case $1 in
  --beside) commit=${2:?--beside COMMIT} && shift 2 ;;
  --turns) turns=${2:?--turns N} && shift 2 ;;
  *) flags+=("$1") && shift ;;
  esac
done
if [ -n "$commit" ]; then set -- beside.ts "$commit" "$turns"; else set -- main.ts; fi
node --import tsx "test/bench/$1" "${@:2}" "${flags[@]}"
