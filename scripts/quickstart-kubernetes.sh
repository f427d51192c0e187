#!/usr/bin/env bash
# npm run quickstart:kubernetes [-- --exit]: from a cluster that kubectl reaches (kind is enough) to a
# stack on this machine that is in sync with it. A second run goes on with what is there.
# STAGELY_IMAGE names an image that the cluster can pull; STAGELY_STACK the folder of a stack of yours.
set -u -o pipefail
. "$(dirname "$0")/lib/setup.sh"

release=stagely
namespace=stagely
url=https://localhost:${STAGELY_PORT:-8443}
example=$root/docs/examples/kubernetes
stack=${STAGELY_STACK:-$example/stack}
data=${XDG_DATA_HOME:-$HOME/.local/share}/stagely/quickstart-kubernetes
forward_pid=
agent_pid=

take_down() {
  [ -n "$agent_pid" ] && kill "$agent_pid" 2>/dev/null && wait "$agent_pid" 2>/dev/null
  [ -n "$forward_pid" ] && kill "$forward_pid" 2>/dev/null
  clean_up
}
trap take_down EXIT
trap 'exit 130' INT TERM HUP

build_image() { docker build --quiet --target controller -t "$image" "$root"; }

# A cluster of kind has the image from here; any other one gets it from a registry: STAGELY_IMAGE.
load_image() {
  case $(kubectl config current-context) in
    kind-*) build_image && kind load docker-image "$image" --name "$(kubectl config current-context | sed 's/^kind-//')" ;;
    *) echo 'this cluster is none of kind: push the image where it can pull it, and name it in STAGELY_IMAGE'; return 1 ;;
  esac
}

install_chart() {
  "$HELM" upgrade --install "$release" "$root/charts/stagely" --namespace "$namespace" --create-namespace \
    --set "controller.advertiseUrl=$url" --set "image.repository=${image%:*}" --set "image.tag=${image##*:}" &&
    kubectl --namespace "$namespace" rollout status "deployment/$release" --timeout=5m
}

# Whoever has agents on other machines gives the controller an address instead: service.type or ingress.
forward() {
  kubectl --namespace "$namespace" port-forward "service/$release" "${url##*:}:8443" >/dev/null 2>&1 &
  forward_pid=$!
}

apply_example() { sed "s|/srv/shop|$stack|" "$example/shop.yaml" | kubectl apply -f -; }

# The agent's key is good for one controller: another cluster gets another one.
start_agent() {
  local token=
  data=$data/$(kubectl get namespace "$namespace" -o 'jsonpath={.metadata.uid}') && mkdir -p "$data" || return 1
  if [ ! -d "$data/agent" ]; then
    # Whether the machine's Agent has come from the cluster yet or not: the token is for its name.
    token=$(kubectl --namespace "$namespace" exec "deployment/$release" -- \
      stagely agent token create --namespace default --name web-1) || return 1
  fi
  STAGELY_JOIN_TOKEN=$token node "$root/dist/cli/main.js" agent run \
    --data-dir "$data/agent" --allow-dir "$stack" >"$data/agent.log" 2>&1 &
  agent_pid=$!
}

image=${STAGELY_IMAGE:-stagely:$(node -p "require('$root/package.json').version")}
need_node && need_packages && need_programs 'kubectl=command -v kubectl' && need_helm &&
  need_docker_programs && need_engine && need_build || exit 1
if [ -z "${STAGELY_IMAGE:-}" ]; then
  step "build the image and load it into the cluster ($image)" load_image || exit 1
fi
step 'install the chart (helm upgrade --install)' install_chart || exit 1
forward
step 'apply the example (kubectl apply)' apply_example || exit 1
start_agent || { say '  ✗ the controller gave no token for the agent'; exit 1; }
step 'wait until the stack is in sync (kubectl wait)' \
  kubectl wait --namespace default --for=condition=SecretsInSync stagelet/shop --timeout=5m || exit 1
kubectl get stagelets --namespace default
[ "${1:-}" = --exit ] && exit 0
say ''
say '  The agent runs until you press Ctrl-C; its containers run on. To take them down:'
say '    docker compose -p stagely-example down'
wait "$agent_pid"
