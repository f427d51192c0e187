#!/usr/bin/env bash
# scripts/real-api-server.sh FILE: builds the API server of test/support/cluster/real out of Kubernetes' own
# code, as Debian packages it, and runs it with etcd until it is stopped; its kubeconfig is FILE. The first
# time takes 2 GB below ~/.cache and some minutes: Debian's unstable has the code, its packages are unpacked
# there, and nothing is installed.
set -eu -o pipefail
[ $# = 1 ] || { echo "usage: $0 FILE" >&2; exit 2; }
kubeconfig=$(realpath "$1")
source=$(realpath "$(dirname "$0")/../test/support/cluster/real")
home=${XDG_CACHE_HOME:-$HOME/.cache}/stagely/real-api-server
port=${STAGELY_API_PORT:-16443}
etcd_port=${STAGELY_ETCD_PORT:-12379}

# apt-get with lists and a cache of its own, by the mirror and keys of this machine, as if nothing were installed.
apt_of_unstable() {
  local uri key
  read -r uri key < <(apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(REPO_URI) $(SIGNED_BY)' 'Created-By: Packages' |
    awk '$1 == "Debian" && $2 == "main" { print $3, $4; exit }')
  [ -n "$uri" ] || { echo 'apt knows no mirror of Debian' >&2; return 1; }
  mkdir -p "$home/apt/lists/partial" "$home/apt/archives/partial"
  touch "$home/apt/status"
  echo "deb ${key:+[signed-by=$key]} $uri unstable main" >"$home/apt/sources.list"
  cat >"$home/apt/apt.conf" <<EOF
Dir::State "$home/apt";
Dir::State::status "$home/apt/status";
Dir::Cache "$home/apt";
Dir::Etc::sourcelist "$home/apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
EOF
  export APT_CONFIG=$home/apt/apt.conf
}

fetch() (
  (cd "$home" && apt-get download etcd-server)
  apt_of_unstable
  apt-get update
  apt-get install --yes --download-only golang-go golang-k8s-apiextensions-apiserver-dev golang-k8s-kube-openapi-dev
  for package in "$home"/etcd-server_*.deb "$home"/apt/archives/golang-*.deb; do dpkg -x "$package" "$home/root"; done
  apt-cache show golang-k8s-apiextensions-apiserver-dev | sed -n 's/^Version: \(.*\)-.*/\1/p' | head -n 1 >"$home/version"
)

build() (
  GOROOT=$(echo "$home"/root/usr/lib/go-1.*)
  PATH=$GOROOT/bin:$PATH
  export GOROOT PATH GO111MODULE=off GOTOOLCHAIN=local CGO_ENABLED=0
  export GOPATH=$home/go:$home/root/usr/share/gocode GOCACHE=$home/gocache
  package=$home/go/src/stagely.dev/real
  mkdir -p "$package/openapi"
  cp "$source"/*.go "$package"
  if [ ! -s "$package/openapi/openapi.go" ]; then
    # The models of the types, which k8s.io/kubernetes has generated and does not share.
    cd "$package/openapi"
    go run k8s.io/kube-openapi/cmd/openapi-gen --go-header-file /dev/null --output-dir . \
      --output-pkg stagely.dev/real/openapi --output-file openapi.go --report-filename /dev/null \
      k8s.io/api/{core,apps,rbac,policy,networking,admissionregistration,autoscaling}/v1 \
      k8s.io/apimachinery/pkg/{apis/meta/v1,runtime,version,util/intstr,api/resource} \
      k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1
  fi
  version=k8s.io/component-base/version
  cd "$package"
  IFS=. read -r _ minor patch <"$home/version"
  go build -o "$home/real-api-server" \
    -ldflags "-X $version.gitVersion=v1.$minor.$patch -X $version.gitMajor=1 -X $version.gitMinor=$minor" .
)

mkdir -p "$home"
[ -s "$home/version" ] || fetch
build

data=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$data"' EXIT
trap 'exit 130' INT TERM HUP
token=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
(umask 077 && echo "$token,admin,1,\"system:masters\"" >"$data/tokens")
"$home/root/usr/bin/etcd" --data-dir "$data/etcd" --log-level error \
  --listen-client-urls "http://127.0.0.1:$etcd_port" --advertise-client-urls "http://127.0.0.1:$etcd_port" \
  --listen-peer-urls http://127.0.0.1:0 &
"$home/real-api-server" --etcd-servers "http://127.0.0.1:$etcd_port" --bind-address 127.0.0.1 \
  --secure-port "$port" --cert-dir "$data" --token-auth-file "$data/tokens" &
server=$!
until [ -s "$data/apiserver.crt" ] && curl -sf --cacert "$data/apiserver.crt" -H "authorization: Bearer $token" \
  "https://127.0.0.1:$port/readyz" >/dev/null; do
  kill -0 "$server" || exit 1
  sleep 0.5
done
(umask 077 && cat >"$kubeconfig" <<EOF
apiVersion: v1
kind: Config
current-context: real
clusters: [{name: real, cluster: {server: 'https://127.0.0.1:$port', certificate-authority-data: $(base64 -w0 "$data/apiserver.crt")}}]
users: [{name: admin, user: {token: $token}}]
contexts: [{name: real, context: {cluster: real, user: admin}}]
EOF
)
echo "ready: KUBECONFIG=$kubeconfig npm run test:cluster" >&2
wait "$server"
