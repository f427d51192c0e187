# Machines for the tests of a release: containers that boot a fresh Debian with systemd and a Docker engine of their own.

machine_image=stagely-release-machine:trixie
# Kept between runs.
need_machine_image() {
  docker image inspect "$machine_image" >/dev/null 2>&1 && return
  debootstrap --variant=minbase --include=ca-certificates,systemd-sysv,dbus,docker.io,docker-cli,docker-compose,iptables,openssl,busybox-static \
    trixie "$work/machine" >"$work/log" 2>&1 || { tail "$work/log"; return 1; }
  tar -c -C "$work/machine" . | docker import -c 'CMD ["/sbin/init"]' - "$machine_image" >/dev/null
  rm -rf "$work/machine"
}

# start_machine NAME: boots one; the release is in /release.
start_machine() {
  started+=("$1")
  docker run -d --name "$1" --hostname "$1" --privileged --cgroupns=private --tmpfs /run --tmpfs /tmp \
    -v /var/lib/docker -v "$out:/release:ro" "$machine_image" >/dev/null
  for _ in $(seq 60); do
    docker exec "$1" docker version >/dev/null 2>&1 && return
    sleep 1
  done
  docker exec "$1" systemctl --failed --no-pager
  return 1
}

on() { docker exec -w /root -e HOME=/root "$1" bash -euc "$2"; }

# give_stack NAME: a Compose project of five services runs in /srv/shop, with values in its .env.
give_stack() {
  on "$1" '
    mkdir -p /srv/shop && cd /srv/shop
    tar -c -C /usr/bin busybox | docker import -c "CMD [\"/busybox\",\"sleep\",\"1000000\"]" - idle:1 >/dev/null
    cat >docker-compose.yml <<END
services:
  web: { image: "idle:1", init: true, environment: ["SESSION_SECRET=\${SESSION_SECRET}"] }
  api: { image: "idle:1", init: true, env_file: [api.env], environment: ["DATABASE_URL=postgres://app:\${DB_PASSWORD}@db/app"] }
  worker: { image: "idle:1", init: true, environment: ["STRIPE_SECRET_KEY=\${STRIPE_SECRET_KEY}"] }
  cache: { image: "idle:1", init: true, environment: ["REDIS_PASSWORD=\${REDIS_PASSWORD}"] }
  db: { image: "idle:1", init: true, environment: ["POSTGRES_PASSWORD=\${DB_PASSWORD}"] }
END
    printf "DB_PASSWORD=correct-horse-1\nSESSION_SECRET=9f8e7d6c5b4a39281716\nSTRIPE_SECRET_KEY=sk_test_51Habcdefghijk\nREDIS_PASSWORD=battery-staple-2\n" >.env
    printf "SENTRY_TOKEN=sntrys_0123456789abcdef\n" >api.env
    docker compose up -d --quiet-pull 2>/dev/null'
}

# commands_of FILE HEADING…: the commands below these headings of a document, without their comments.
commands_of() {
  local file=$1 heading
  for heading in "${@:2}"; do
    awk -v heading="$heading" '$0 == heading { below = 1; next } /^```$/ { within = 0 } !within && /^#/ { below = 0 } below && within { print } /^```sh$/ { within = 1 }' \
      "$root/docs/$file" | sed 's/  *# .*//' | grep .
  done
}

agent_and_stack() { commands_of quickstart.md '## 2. An agent' '## 3. A stack'; }

# follow NAME COMMANDS: runs them as they are written, with a yes to the one question; at most ten.
follow() {
  grep -q '^stagely wait ' <<<"$2"
  [ "$(wc -l <<<"$2")" -le 10 ]
  on "$1" "$(sed 's/^stagely init .*/& --yes/' <<<"$2")" >"$work/log" 2>&1 || { cat "$work/log"; return 1; }
  on "$1" 'stagely get stagelets | grep -q shop && stagely status' | grep -q '1 of 1 in sync'
}

# adopted_by_package NAME: a machine by the quickstart.
adopted_by_package() {
  start_machine "$1"
  give_stack "$1"
  on "$1" 'cp /release/stagely_*_amd64.deb .'
  follow "$1" "$(commands_of quickstart.md '## 1. A controller'; agent_and_stack)"
}

# The commit of the last build that people have; its package is kept between runs.
before=134f904a
before_package() {
  local file=${XDG_CACHE_HOME:-$HOME/.cache}/stagely/stagely-${before}_$deb.deb
  [ ! -f "$file" ] || { echo "$file"; return; }
  mkdir -p "$work/before" "$(dirname "$file")"
  git -C "$root" archive "$before" | tar -x -C "$work/before"
  cp -al "$root/node_modules" "$work/before/"
  (cd "$work/before" && SOURCE_DATE_EPOCH=0 node scripts/release/release.mjs --only deb --machine "$npm" --out out) >"$work/log" 2>&1 || { tail "$work/log" >&2; return 1; }
  mv "$work"/before/out/stagely_*.deb "$file"
  rm -rf "$work/before"
  echo "$file"
}
