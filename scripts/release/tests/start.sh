# Starts and memory of the package before and of today's, in turns: seconds of CPU, megabytes once it has rested.

# cpu_of PID, memory_of PID
cpu_of() { awk -v ticks="$(getconf CLK_TCK)" '{ printf "%.1f", ($14 + $15) / ticks }' "/proc/$1/stat"; }
memory_of() { awk '/^VmRSS/ { printf "%.0f", $2 / 1000 }' "/proc/$1/status"; }

# measure_start TREE: one line of figures: --version, controller's start and memory, start again, agent's start and memory.
measure_start() {
  local tree=$1 data=$1/data turn controller agent figures
  stagely() { XDG_CONFIG_HOME=$data HOME=$data "$tree/usr/bin/stagely" "$@"; }
  ready() { for _ in $(seq 120); do grep -q "$1" "$2" && return; sleep 1; done; cat "$2" >&2; return 1; }
  mkdir "$data" "$tree/stacks"
  figures=$({ TIMEFORMAT='%U %S'; time for _ in 1 2 3 4 5 6 7 8 9 10; do "$tree/usr/bin/stagely" --version >/dev/null; done; } 2>&1 | awk '{ printf "%.2f", ($1 + $2) / 10 }')
  for turn in first again; do
    "$tree/usr/bin/stagely" controller --data-dir "$data/c" --listen 127.0.0.1:18444 >"$data/log" 2>&1 &
    controller=$!
    ready '^stagely controller ready' "$data/log"
    figures+=" $(cpu_of $controller)"
    [ $turn = again ] || { kill $controller && wait $controller || true; }
  done
  stagely login --server https://127.0.0.1:18444 --ca-file "$data/c/ca.crt" --token-file "$data/c/admin-token" >/dev/null
  stagely agent token create --name measured >"$data/token"
  "$tree/usr/bin/stagely" agent run --data-dir "$data/a" --join-file "$data/token" --allow-dir "$tree/stacks" --files-dir "/dev/shm/stagely-release-$$" >"$data/agent.log" 2>&1 &
  agent=$!
  stagely wait --for=condition=Ready agent/measured --timeout=60s >/dev/null || { cat "$data/agent.log" >&2; return 1; }
  figures+=" $(cpu_of $agent)"
  sleep 20
  figures+=" $(memory_of $controller) $(memory_of $agent)"
  kill $agent && wait $agent || true
  kill $controller && wait $controller || true
  rm -rf "/dev/shm/stagely-release-$$"
  echo "$figures"
}

old=$(before_package)
dpkg-deb -x "$old" "$work/old"
dpkg-deb -x "$out"/stagely_*_"$deb".deb "$work/new"
measure_start "$work/old" >"$work/old.figures"
measure_start "$work/new" >"$work/new.figures"
rm -rf "$work/old" "$work/new"
paste -d' ' "$work/old.figures" "$work/new.figures" | awk '{
  n = split("--version, s of CPU;first start of a controller, s of CPU;start again, s of CPU;start of an agent, s of CPU;memory of a controller, MB;memory of an agent, MB", what, ";")
  for (i = 1; i <= n; i++) printf "# %-40s %8s %8s\n", what[i], $i, $(i + n)
}'
pass "a controller and an agent of the package before start, and of today's"
