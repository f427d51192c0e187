#!/usr/bin/env bash
# npm run screenshots: takes the pictures of docs/pictures anew, of the example on the embedded database.
set -u -o pipefail
. "$(dirname "$0")/lib/setup.sh"
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

need_node &&
  need_packages &&
  need_docker_programs &&
  need_programs 'chromium-headless-shell=test -x /usr/bin/chromium-headless-shell' &&
  need_engine &&
  need_build || exit 1

cd "$root" || exit 1
node --import tsx scripts/screenshots/main.ts
