#!/usr/bin/env bash
# npm run test:release [-- [--dir DIR] PART…]: makes the files of a release twice, or takes those in DIR, and tries them: see
# scripts/release/tests. Parts: bytes, roots, arm64, ten-commands, upgrade. As root on Debian, with docker, debootstrap
# and the tools of the release; qemu-user for arm64. It takes some minutes, and asks a mirror of Debian's packages.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d /tmp/stagely-release.XXXXXX)
started=()
clean_up() {
  for name in "${started[@]}"; do docker rm -fv "$name" >/dev/null 2>&1 || true; done
  rm -rf "$work"
}
trap clean_up EXIT
trap 'echo "not ok - line $LINENO of ${BASH_SOURCE[0]}: $BASH_COMMAND"' ERR
case $(uname -m) in x86_64) npm=x64 deb=amd64 ;; aarch64) npm=arm64 deb=arm64 ;; esac
version=$(node -p "require('$root/package.json').version")
passed=0
pass() { passed=$((passed + 1)); echo "ok $passed - $1"; }

out=$work/first
parts=(bytes roots arm64 ten-commands upgrade)
if [ "${1:-}" = --dir ]; then
  out=$(realpath "$2")
  parts=("${parts[@]:1}")
  shift 2
fi
[ $# = 0 ] || parts=("$@")
for part in "${parts[@]}"; do
  [ "$part" != ten-commands ] && [ "$part" != upgrade ] || [ -n "${machine_image:-}" ] || { . "$root/scripts/release/tests/machine.sh" && need_machine_image; }
  . "$root/scripts/release/tests/$part.sh"
done
echo "$passed passed, 0 failed"
