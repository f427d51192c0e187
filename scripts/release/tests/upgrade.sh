# A machine that the build of before runs, to today's build by package, and back to today's build from another version of the same:
# no container restarts, no write and no report is lost.

next_package() {
  local tree=$work/next
  dpkg-deb -R "$out"/stagely_*_$deb.deb "$tree"
  sed -i "s/^Version: .*/Version: $1/" "$tree/DEBIAN/control"
  grep -rlF "\"$version\"" "$tree/usr/lib/stagely/app" --include='*.js' --include=package.json |
    xargs sed -i "s/\"${version//./\\.}\"/\"$1\"/g"
  dpkg-deb --root-owner-group -Zxz -z0 --build "$tree" "$work/stagely_$1_$deb.deb" >/dev/null
  rm -rf "$tree"
}

shown() { on "$machine" 'docker inspect $(docker ps -aq) --format "{{.Name}} {{.Id}} {{.State.StartedAt}} {{.RestartCount}}" | sort'; }
others() { grep -vE "/shop-($1)-1 "; }
install_package() { on "$machine" "apt-get install -y --allow-downgrades $1 >/dev/null 2>&1"; }
# Until the controller and the agent say that they run VERSION, and the stack is in sync.
runs() {
  for _ in $(seq 60); do
    # Both say the same version: one line.
    [ "$(on "$machine" 'stagely upgrade --check 2>/dev/null' | awk '/^(controller|agent)/ { print $3 }' | sort -u)" = "$1" ] &&
      on "$machine" 'stagely wait --for=condition=SecretsInSync stagelet/shop --timeout 60s >/dev/null 2>&1' && return
    sleep 1
  done
  on "$machine" 'stagely upgrade --check; stagely status; journalctl -u stagely-controller -u stagely-agent -n 40 --no-pager'
  return 1
}
worker_has() { on "$machine" 'docker exec shop-worker-1 /busybox env' | grep -qx "STRIPE_SECRET_KEY=$1"; }

machine=stagely-release-upgrade
old=$(before_package)
next_package 99.1.0
start_machine "$machine"
give_stack "$machine"
docker cp -q "$old" "$machine:/root/before.deb"
docker cp -q "$work/stagely_99.1.0_$deb.deb" "$machine:/root/next.deb"
# The controller of that build listens some seconds after its installation.
on "$machine" "apt install -y ./before.deb && stagely controller install
  for n in \$(seq 60); do $(commands_of quickstart.md '## 1. A controller' | grep '^stagely login') && exit; sleep 1; done; exit 1" >"$work/log" 2>&1 || { cat "$work/log"; return 1; }
follow "$machine" "$(agent_and_stack)"
# Each version that is written below is to have its receipt of exposure.
on "$machine" 'echo STAGELY_KEEP_VERSIONS=1000 >>/etc/stagely/controller.env'

# A change whose containers the old agent makes, and the new one reports, or the new one makes.
before_upgrade=$(shown)
on "$machine" 'printf sk_test_before | stagely secrets set STRIPE_SECRET_KEY --project shop --scope worker >/dev/null'
install_package ./next.deb
runs 99.1.0
[ "$(shown | others worker)" = "$(others worker <<<"$before_upgrade")" ] || { diff <(echo "$before_upgrade") <(shown); return 1; }
worker_has sk_test_before
on "$machine" 'stagely activity --kind rollout --limit 1 | grep "is healthy"' >/dev/null
on "$machine" 'stagely upgrade --check | grep "Nothing is older"' >/dev/null
pass "an upgrade by package from the build of before ($before) restarts the controller and the agent, and no container; the rollout that was under way is reported"

# To today's version, while values are written, and somebody removes a container by hand.
before_upgrade=$(shown)
on "$machine" 'rm -f enough acknowledged written; cat >write.sh <<"END"
n=0
while [ ! -e enough ]; do
  n=$((n + 1))
  printf "sk_test_%s" $n | stagely secrets set STRIPE_SECRET_KEY --project shop --scope worker >/dev/null 2>&1 && echo $n >>acknowledged
done
touch written
END
nohup docker events --filter type=container --filter label=com.docker.compose.service=worker --filter event=create --filter event=destroy --format "{{.Action}} {{.Actor.ID}}" >events 2>/dev/null &
docker ps -q --filter label=com.docker.compose.service=worker >worker-before
stagely get secrets stripe-secret-key.worker -o jsonpath="{.status.version}" >first
nohup bash write.sh >/dev/null 2>&1 &'
sleep 2
install_package "/release/stagely_*_$deb.deb" &
installing=$!
sleep 3
on "$machine" 'docker rm -f shop-cache-1 >/dev/null'
wait $installing
on "$machine" 'sleep 2; touch enough; for _ in $(seq 60); do [ ! -e written ] || break; sleep 1; done; [ -e written ]'
runs "$version"
[ "$(shown | others 'worker|cache')" = "$(others 'worker|cache' <<<"$before_upgrade")" ]
last=$(on "$machine" 'tail -1 acknowledged')
[ "$last" -gt 3 ]
worker_has "sk_test_$last"
on "$machine" 'stagely audit verify >/dev/null'
# Each acknowledged write is a version; those of which only the answer was lost may be there too.
versions=$(on "$machine" "stagely get secrets stripe-secret-key.worker -o jsonpath='{.status.version}'")
[ "$versions" -gt "$(on "$machine" 'wc -l <acknowledged')" ]
on "$machine" 'docker exec shop-cache-1 /busybox env' | grep -qx REDIS_PASSWORD=battery-staple-2
on "$machine" 'stagely activity --kind rollout --limit 1 | grep "is healthy"' >/dev/null
pass 'to another version by package, while values are written: other containers stay, each acknowledged write is there, its rollout is reported, and a container that was removed meanwhile is back'

# A report that was lost would leave its container out of the receipts of exposure, or without an end.
on "$machine" 'for n in $(seq "$(cat first)" '"$versions"'); do
  stagely report exposure STRIPE_SECRET_KEY --project shop --scope worker --version $n -o json
done >receipts'
docker cp -q "$machine:/root/receipts" "$work/receipts"
docker cp -q "$machine:/root/events" "$work/events"
node - "$work/receipts" "$work/events" "$(on "$machine" 'cat worker-before')" <<'END'
const { readFileSync } = require('node:fs')
const [receipts, events, first] = process.argv.slice(2)
const documents = readFileSync(receipts, 'utf8').trim().split(/(?<=^})\n/m).map((text) => JSON.parse(text).exposure)
const reported = documents.flatMap(({ holders }) => holders.map(({ container, until }) => `${container} ${until ? 'gone' : 'there'}`))
const lives = new Map([[first, 'there']])
for (const line of readFileSync(events, 'utf8').trim().split('\n')) {
  const [action, id] = line.split(' ')
  lives.set(id.slice(0, 12), action === 'create' ? 'there' : 'gone')
}
const made = [...lives].map((life) => life.join(' '))
const lost = made.filter((life) => !reported.includes(life))
const invented = reported.filter((life) => !made.includes(life))
if (made.length < 3 || lost.length > 0 || invented.length > 0) {
  console.error({ made, reported, lost, invented })
  process.exit(1)
}
console.log(`# ${made.length} containers, each with its report`)
END
pass 'no report is lost: each container that the engine made and removed meanwhile is in the receipts of exposure'
