#!/usr/bin/env bash
# npm run test:release [-- [--dir DIR] PART…]: makes the files of a release twice, or takes those in DIR, and tries them: see
# scripts/release/tests. Parts: bytes, roots, images, arm64, ten-commands, upgrade, start, node. As root on Debian, with docker,
# debootstrap and the tools of the release; qemu-user for arm64. It takes half an hour, and asks a mirror of Debian's packages.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d /tmp/stagely-release.XXXXXX)
# The build of before makes its units there, which others have to be able to read.
chmod 755 "$work"
started=()
clean_up() {
  for name in "${started[@]}"; do docker rm -fv "$name" >/dev/null 2>&1 || true; done
  kill $(jobs -p) 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT
trap 'echo "not ok - line $LINENO of ${BASH_SOURCE[0]}: $BASH_COMMAND"' ERR
case $(uname -m) in x86_64) npm=x64 deb=amd64 ;; aarch64) npm=arm64 deb=arm64 ;; esac
version=$(node -p "require('$root/package.json').version")
passed=0
pass() { passed=$((passed + 1)); echo "ok $passed - $1"; }

out=$work/first
parts=(bytes roots images arm64 ten-commands upgrade start node)
if [ "${1:-}" = --dir ]; then
  out=$(realpath "$2")
  parts=("${parts[@]:1}")
  shift 2
fi
[ $# = 0 ] || parts=("$@")
case " ${parts[*]} " in *' roots '* | *' ten-commands '* | *' upgrade '*)
  command -v debootstrap >/dev/null || { echo 'missing: debootstrap'; exit 1; } ;;
esac
. "$root/scripts/release/tests/machine.sh"
for part in "${parts[@]}"; do
  case $part in ten-commands | upgrade) need_machine_image ;; esac
  . "$root/scripts/release/tests/$part.sh"
done
echo "$passed passed, 0 failed"
