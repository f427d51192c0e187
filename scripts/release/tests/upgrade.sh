# The package N over a running controller, agent and stack, to N + 1 and back: no container restarts, no write and no
# report is lost. N + 1 is the same build with another version.

next_package() {
  local tree=$work/next
  dpkg-deb -R "$out"/stagely_*_$deb.deb "$tree"
  sed -i "s/^Version: .*/Version: $1/" "$tree/DEBIAN/control"
  grep -rlF "\"$version\"" "$tree/usr/lib/stagely/app" --include='*.js' --include=package.json |
    xargs sed -i "s/\"${version//./\\.}\"/\"$1\"/g"
  dpkg-deb --root-owner-group -Zxz -z0 --build "$tree" "$work/stagely_$1_$deb.deb" >/dev/null
  rm -rf "$tree"
}

machine=stagely-release-deb
docker inspect "$machine" >/dev/null 2>&1 || adopted_by_package "$machine"
next_package 99.1.0
docker cp -q "$work/stagely_99.1.0_$deb.deb" "$machine:/root/"

shown() { on "$machine" 'docker inspect $(docker ps -aq) --format "{{.Name}} {{.Id}} {{.State.StartedAt}} {{.RestartCount}}" | sort'; }
install_package() { on "$machine" "apt-get install -y --allow-downgrades ./$1 >/dev/null 2>&1"; }
# Until the controller and the agent say that they run VERSION, and the stack is in sync.
runs() {
  for _ in $(seq 60); do
    on "$machine" 'stagely upgrade --check 2>/dev/null' | awk '/^(controller|agent)/ { print $3 }' | sort -u | grep -qxF "$1" &&
      on "$machine" 'stagely wait --for=condition=SecretsInSync stagelet/shop --timeout 60s >/dev/null 2>&1' && return
    sleep 1
  done
  on "$machine" 'stagely upgrade --check; stagely status; journalctl -u stagely-controller -u stagely-agent -n 40 --no-pager'
  return 1
}

on "$machine" 'stagely upgrade --check' | grep -q 'Nothing is older'
before=$(shown)
install_package stagely_99.1.0_$deb.deb
runs 99.1.0
[ "$(shown)" = "$before" ] || { diff <(echo "$before") <(shown); return 1; }
pass 'an upgrade by package restarts the controller and the agent, and no container'

# The way back, while values are written, and somebody removes a container by hand.
on "$machine" 'rm -f enough acknowledged written; cat >write.sh <<"END"
n=0
while [ ! -e enough ]; do
  n=$((n + 1))
  printf "sk_test_%s" $n | stagely secrets set STRIPE_SECRET_KEY --project shop --scope worker >/dev/null 2>&1 && echo $n >>acknowledged
done
touch written
END
nohup bash write.sh >/dev/null 2>&1 &'
sleep 2
install_package "stagely_${version}_$deb.deb" &
installing=$!
sleep 3
on "$machine" 'docker rm -f shop-cache-1 >/dev/null'
wait $installing
on "$machine" 'sleep 2; touch enough; for _ in $(seq 60); do [ ! -e written ] || break; sleep 1; done; [ -e written ]'
runs "$version"
others() { grep -vE '/shop-(worker|cache)-1 '; }
[ "$(shown | others)" = "$(others <<<"$before")" ]
last=$(on "$machine" 'tail -1 acknowledged')
[ "$last" -gt 3 ]
on "$machine" 'docker exec shop-worker-1 /busybox env' | grep -qx "STRIPE_SECRET_KEY=sk_test_$last"
on "$machine" 'stagely audit verify >/dev/null'
# Each acknowledged write is a version; those of which only the answer was lost may be there too.
versions=$(on "$machine" "stagely get secrets stripe-secret-key.worker -o jsonpath='{.status.version}'")
[ "$versions" -gt "$(on "$machine" 'wc -l <acknowledged')" ]
on "$machine" 'docker exec shop-cache-1 /busybox env' | grep -qx REDIS_PASSWORD=battery-staple-2
on "$machine" 'stagely activity --kind rollout --limit 1' | grep -q 'is healthy'
pass 'the way back by package: other containers stay, each acknowledged write is there, its rollout is reported, and a container that was removed meanwhile is back'
