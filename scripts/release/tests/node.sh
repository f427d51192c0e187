# The unit and contract tests on the Node.js that is shipped.

mkdir -p "$work/shipped"
# A service's user must be able to read the Node.js that its unit starts.
chmod 0755 "$work"
dpkg-deb --fsys-tarfile "$out"/stagely_*_"$deb".deb | tar -xO ./usr/lib/stagely/node >"$work/shipped/node"
chmod 0755 "$work/shipped/node"
(
  . "$root/scripts/lib/setup.sh" && trap clean_up EXIT && need_test_machine
  cd "$root" && unset NODE_EXTRA_CA_CERTS && export PATH=$work/shipped:$PATH
  for selected in unit 'services test/contract'; do
    node node_modules/vitest/vitest.mjs run --reporter=dot --project $selected </dev/null || exit 1
  done
)
pass "the unit and contract tests pass on the Node.js that is shipped, $("$work/shipped/node" --version)"
