# The files for arm64, by qemu-user: the version, and a controller that starts.

if command -v qemu-aarch64 >/dev/null && ls "$out"/*linux-arm64.tar.xz >/dev/null 2>&1; then
  tree=$work/arm64
  mkdir -p "$tree/root"
  tar -xJf "$out"/stagely-*-linux-arm64.tar.xz -C "$tree" --strip-components=1
  # The C library of the image.
  mkdir "$tree/image" && tar -xf "$out"/stagely-controller-*-arm64.oci.tar -C "$tree/image"
  layer=$(node -p "JSON.parse(require('fs').readFileSync('$tree/image/manifest.json'))[0].Layers[0]")
  tar -xzf "$tree/image/$layer" -C "$tree/root"
  arm=(qemu-aarch64 -L "$tree/root" "$tree/usr/lib/stagely/node" -- "$tree/usr/lib/stagely/app/dist/cli/main.js")
  [ "$("${arm[@]}" --version)" = "$version" ]
  "${arm[@]}" controller --data-dir "$tree/data" --listen 127.0.0.1:18445 >"$work/arm64.log" 2>&1 &
  controller=$!
  for _ in $(seq 600); do # Emulated: minutes on a busy machine.
    grep -q '^to log in' "$work/arm64.log" && break
    kill -0 $controller
    sleep 1
  done
  grep -q '^stagely controller ready' "$work/arm64.log" || { cat "$work/arm64.log"; return 1; }
  kill $controller && wait $controller || true
  [ "$(dpkg-deb -f "$out"/stagely_*_arm64.deb Architecture)" = arm64 ]
  rm -rf "$tree"
  pass 'on arm64 the command tells its version, and a controller starts'
else
  echo 'left out: arm64, without qemu-user or its files'
fi
