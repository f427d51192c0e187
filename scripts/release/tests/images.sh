# The images: the controller as a kubelet runs the Deployment of the chart, the agent's Compose.

helm=$(. "$root/scripts/lib/setup.sh" && trap clean_up EXIT && need_helm && echo "$HELM")
docker load -q -i "$out"/stagely-controller-*-"$deb".oci.tar >/dev/null
for user in '' 12345; do
  started+=("stagely-release-chart-${user:-own}")
  HELM=$helm node "$root/scripts/release/tests/chart.mjs" "$work" $user
  pass "the controller's image runs as the chart prescribes, as ${user:-its own user}: read-only, without capabilities; ready by its probes, and it stops by its hook"
done

docker load -q -i "$out"/stagely-agent-*-"$deb".oci.tar >/dev/null
docker run --rm --network none -v /var/run/docker.sock:/var/run/docker.sock "stagely-agent:$version" agent doctor >"$work/doctor" || true
grep -E '^ok +compose' "$work/doctor" || { cat "$work/doctor"; return 1; }
pass "the agent's image has a Compose that its doctor accepts"
