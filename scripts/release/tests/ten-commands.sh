# A fresh machine with Docker, and the commands of the documents: a controller, a machine and an adopted stack of five services.

adopted_by_package stagely-release-deb
[ "$(on stagely-release-deb 'docker exec shop-db-1 /busybox env | grep POSTGRES_PASSWORD')" = POSTGRES_PASSWORD=correct-horse-1 ]
on stagely-release-deb 'journalctl -u stagely-controller -o cat --no-pager' >"$work/journal"
grep -q '^to log in as its administrator: stagely login' "$work/journal"
grep -q '^the dashboard: https://127.0.0.1:8443/ui' "$work/journal"
! grep -E 'sat_|correct-horse|sk_test' "$work/journal"
pass 'the package brings a fresh machine to a stack in sync, by the documents alone, in at most ten commands'

start_machine stagely-release-compose
give_stack stagely-release-compose
# The official image of Postgres, as far as a test needs it.
(cd "$root" && node --import tsx -e "import('./test/support/databases/database-images.ts').then((images) => images.makeDatabaseImage('postgres'))")
docker save "$(docker images --format '{{.Repository}}:{{.Tag}}' stagely-test/postgres | head -1)" | docker exec -i stagely-release-compose docker load -q >/dev/null
on stagely-release-compose 'docker tag $(docker images -q stagely-test/postgres) postgres:17
  cp /release/stagely_*_amd64.deb /release/stagely-controller-*-amd64.oci.tar .'
docker cp -q "$root/docs/examples/controller/compose.yaml" stagely-release-compose:/root/compose.yaml
follow stagely-release-compose "$(commands_of server.md '### By Compose'; agent_and_stack)"
pass 'compose.yaml does the same'

on stagely-release-compose "systemctl -q disable --now stagely-agent
  docker load -q -i /release/stagely-agent-*-amd64.oci.tar >/dev/null
  docker tag stagely-agent:$version stagely-agent
  $(commands_of operations.md '### An agent in a container')
  printf by-the-image | stagely secrets set STRIPE_SECRET_KEY --project shop --scope worker --wait >/dev/null
  docker exec shop-worker-1 /busybox env | grep -qx STRIPE_SECRET_KEY=by-the-image" >"$work/log" 2>&1 || { cat "$work/log"; return 1; }
pass "an agent in a container goes on with the stack"
