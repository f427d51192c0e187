# The files of both machines, made twice.

make_release() { (cd "$root" && node scripts/release/release.mjs --fast --out "$1" "${@:2}"); }
touch "$work/built"
make_release "$out"
# So that the part `node` need not build again.
touch -r "$work/built" "$root/dist/.built"
make_release "$work/second" --no-build
[ "$(wc -l <"$out/SHA256SUMS")" = 10 ]
cmp "$out/SHA256SUMS" "$work/second/SHA256SUMS"
(cd "$out" && sha256sum --quiet -c SHA256SUMS)
rm -rf "$work/second"
pass 'two runs make the same bytes: npm package, archives, packages, images, list of parts'

if command -v minisign >/dev/null; then
  minisign -G -W -p "$work/key.pub" -s "$work/key" >/dev/null
  MINISIGN_SECRET_KEY_FILE=$work/key make_release "$work/signed" --no-build --only npm >/dev/null
  (cd "$work/signed" && minisign -Vm SHA256SUMS -p "$work/key.pub" >/dev/null)
  pass 'where a key is given, the list of sums is signed by it'
fi
