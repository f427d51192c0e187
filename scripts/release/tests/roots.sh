# Fresh roots of Debian 12 and 13 and, with the package ubuntu-keyring, of Ubuntu 24.04, without Node: package and archive.

# try_controller NAME COMMAND…: runs a controller in a container, logs in with what its first start prints, and lists.
try_controller() {
  local name=$1 login
  shift
  started+=("$name")
  docker run -d --name "$name" --network none "$@" >/dev/null
  for _ in $(seq 120); do
    docker logs "$name" 2>&1 | grep -q '^and on that machine: stagely agent install' && break
    sleep 1
  done
  login=$(docker logs "$name" 2>&1 | sed -n 's/^to log in as its administrator: //p')
  docker exec -e HOME=/tmp -e XDG_CONFIG_HOME=/tmp "$name" sh -c "$login && stagely get namespaces" | grep -q default || { docker logs "$name"; return 1; }
  docker rm -fv "$name" >/dev/null
}

suites=(bookworm trixie)
if [ -f /usr/share/keyrings/ubuntu-archive-keyring.gpg ]; then suites+=(noble); else echo 'left out: Ubuntu, without ubuntu-keyring'; fi
for suite in "${suites[@]}"; do
  image=stagely-release-test:$suite
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$work/$suite" >"$work/log" 2>&1 || { tail "$work/log"; return 1; }
  tar -c -C "$work/$suite" . | docker import - "$image" >/dev/null
  rm -rf "${work:?}/$suite"
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
  xz -dc "$out"/stagely-*-linux-$npm.tar.xz | docker run --rm -i --network none "$image" sh -ec 'tar -x -C / --strip-components=1
    stagely --version
    stagely controller install --no-start --listen 127.0.0.1:8443
    eval "$(sed -n "s/^ExecStart=//p" /etc/systemd/system/stagely-controller.service) --data-dir /tmp/data" >/tmp/log 2>&1 &
    for n in $(seq 120); do ! grep -q "^stagely controller ready" /tmp/log || exit 0; sleep 1; done; cat /tmp/log; exit 1' >"$work/log" 2>&1 || { cat "$work/log"; return 1; }
  pass "in a fresh $suite the archive makes the unit, and what the unit starts is a controller"
done
