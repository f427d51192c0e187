#!/usr/bin/env bash
# npm run test:release [-- DIR]: makes the files of a release for this machine, twice, or takes those in DIR; installs the
# package and the archive in fresh roots of Debian 12 and 13 without Node, and runs the image as any user with a
# read-only root. As root on Debian, with docker, debootstrap and the tools of the release.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d /tmp/stagely-release.XXXXXX)
started=()
clean_up() {
  for name in "${started[@]}"; do docker rm -f "$name" >/dev/null 2>&1 || true; done
  rm -rf "$work"
}
trap clean_up EXIT
case $(uname -m) in x86_64) npm=x64 deb=amd64 ;; aarch64) npm=arm64 deb=arm64 ;; esac
passed=0
pass() { passed=$((passed + 1)); echo "ok $passed - $1"; }

if [ $# -gt 0 ]; then
  out=$(realpath "$1")
else
  out=$work/first
  (cd "$root" && node scripts/release/release.mjs --machine "$npm" --out "$out" &&
    node scripts/release/release.mjs --machine "$npm" --out "$work/second")
  cmp "$out/SHA256SUMS" "$work/second/SHA256SUMS"
  pass 'two runs make the same bytes'
fi

# try_controller NAME COMMAND…: runs a controller in a container, logs in with what its first start prints, and lists.
try_controller() {
  local name=$1 address
  shift
  started+=("$name")
  docker run -d --name "$name" --network none "$@" >/dev/null
  for _ in $(seq 120); do
    docker logs "$name" 2>&1 | grep -q 'stagely controller ready' && break
    sleep 1
  done
  docker logs "$name" 2>&1 | grep -q 'to log in as its administrator: stagely login' || { docker logs "$name"; return 1; }
  address=$(docker logs "$name" 2>&1 | sed -n 's/^to log in as its administrator: //p')
  docker exec -e HOME=/tmp -e XDG_CONFIG_HOME=/tmp "$name" sh -c "$address && stagely get namespaces" | grep -q default
  docker rm -f "$name" >/dev/null
}

for suite in bookworm trixie; do
  image=stagely-release-test:$suite
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$work/$suite" >"$work/log" 2>&1 || { tail "$work/log"; exit 1; }
  tar -c -C "$work/$suite" . | docker import - "$image" >/dev/null
  run() { docker run --rm --network none -v "$out:/release:ro" "$image" sh -ec "$1"; }
  run '! command -v node
    dpkg -i /release/stagely_*_'$deb'.deb >/dev/null
    stagely --version && stagely agent doctor >/dev/null || test $? = 1
    test -s /usr/share/man/man1/stagely-get.1.gz && test -s /usr/share/bash-completion/completions/stagely
    test -s /usr/lib/systemd/system/stagely-controller.service
    dpkg -i /release/stagely_*_'$deb'.deb >/dev/null && dpkg -r stagely >/dev/null && ! test -e /usr/bin/stagely'
  pass "the package installs, upgrades and goes in a fresh $suite without Node"
  try_controller "stagely-release-$suite" -v "$out:/release:ro" "$image" sh -ec \
    'dpkg -i /release/stagely_*_'$deb'.deb >/dev/null; exec stagely controller --data-dir /var/lib/stagely --listen 127.0.0.1:8443'
  pass "a controller of the package starts in $suite, and its first lines log one in"
done

docker load -q -i "$out"/stagely-controller-*-"$deb".oci.tar >/dev/null
version=$(node -p "require('$root/package.json').version")
try_controller stagely-release-image --read-only --tmpfs /tmp --cap-drop ALL --user 12345:12345 \
  --tmpfs /var/lib/stagely:uid=12345,mode=0700 "stagely:$version" \
  controller --data-dir /var/lib/stagely --listen 127.0.0.1:8443
pass 'the image runs as any user, with a read-only root and no capabilities'
echo "$passed passed, 0 failed"
