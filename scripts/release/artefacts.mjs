// Makes files of trees: archives, Debian packages, images. The same tree gives the same bytes.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const flagsOf = (epoch, owner = 0) => [
  ...['--sort=name', `--owner=${owner}`, `--group=${owner}`, '--numeric-owner', '--format=gnu'],
  `--mtime=@${epoch}`,
]
const tarOf = (folder, flags, ...names) =>
  execFileSync('tar', [...flags, '-c', '-C', folder, ...names], { maxBuffer: 1 << 30 })

/** A tar.xz of `folder`, whose files lie below `name`. */
export const writeArchive = (folder, name, file, { epoch, level }) => {
  const tar = tarOf(folder, [...flagsOf(epoch), `--transform=s,^\\.,${name},`], './usr')
  writeFileSync(
    file,
    execFileSync('xz', [`-${level}`, '-T2', '-c'], { input: tar, maxBuffer: 1 << 30 }),
  )
}

/** What a service needs after its files changed: systemd reads the units, and services that run start anew. */
const afterInstall = `#!/bin/sh
set -e
if [ "$1" = configure ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  for unit in stagely-controller stagely-agent; do
    systemctl try-restart "$unit.service"
  done
fi
`

export const writeDeb = (tree, file, { machine, version, epoch, level }) => {
  const control = join(tree, 'DEBIAN')
  mkdirSync(control, { mode: 0o755 })
  const size = execFileSync('du', ['-sk', '--apparent-size', tree], { encoding: 'utf8' }).split(
    '\t',
  )[0]
  writeFileSync(
    join(control, 'control'),
    `Package: stagely
Version: ${version}
Architecture: ${machine.debian}
Maintainer: The Stagely developers <stagely@localhost>
Installed-Size: ${size}
Depends: libc6 (>= 2.28), libstdc++6, libgcc-s1, ca-certificates
Suggests: docker.io, docker-compose, postgresql
Section: admin
Priority: optional
Description: secrets for Docker Compose, reconciled
 The controller, the agent and the command, with a Node.js of their own.
`,
  )
  writeFileSync(join(control, 'postinst'), afterInstall, { mode: 0o755 })
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(epoch) }
  execFileSync('chmod', ['-R', 'u+rwX,go+rX,go-w', tree])
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', `-z${level}`, '--build', tree, file], {
    env,
    stdio: 'ignore',
  })
  rmSync(control, { recursive: true })
}

const digestOf = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** An image in the layout of OCI, in one tar that `docker load` and `skopeo` read. `layers` are folders, their owners and what is left out, the lowest first. */
export const writeImage = (layers, file, { machine, epoch, config, tag, work }) => {
  rmSync(work, { recursive: true, force: true })
  mkdirSync(join(work, 'blobs/sha256'), { recursive: true })
  const put = (bytes) => {
    const digest = digestOf(bytes)
    writeFileSync(join(work, 'blobs', digest.replace(':', '/')), bytes)
    return { digest, size: bytes.length }
  }
  const putJson = (mediaType, value) => ({ mediaType, ...put(Buffer.from(JSON.stringify(value))) })
  const tars = layers.map(({ folder, owner, without = [], names = ['.'] }) => {
    const left = without.map((name) => `--exclude=./${name}`)
    return tarOf(folder, [...flagsOf(epoch, owner), ...left], ...names)
  })
  const type = (name) => `application/vnd.oci.image.${name}`
  const described = putJson(type('config.v1+json'), {
    created: new Date(epoch * 1000).toISOString(),
    architecture: machine.oci,
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
  })
  const packed = tars.map((tar) => ({
    mediaType: type('layer.v1.tar+gzip'),
    ...put(gzipSync(tar, { level: 6 })),
  }))
  const manifest = putJson(type('manifest.v1+json'), {
    schemaVersion: 2,
    mediaType: type('manifest.v1+json'),
    config: described,
    layers: packed,
  })
  const annotations = { 'org.opencontainers.image.ref.name': tag, 'io.containerd.image.name': tag }
  writeFileSync(join(work, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  writeFileSync(
    join(work, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }),
  )
  // For `docker load`, which knows no other list.
  const pathOf = ({ digest }) => `blobs/${digest.replace(':', '/')}`
  const loaded = { Config: pathOf(described), RepoTags: [tag], Layers: packed.map(pathOf) }
  writeFileSync(join(work, 'manifest.json'), JSON.stringify([loaded]))
  writeFileSync(
    file,
    tarOf(work, flagsOf(epoch), 'blobs', 'index.json', 'manifest.json', 'oci-layout'),
  )
  rmSync(work, { recursive: true })
  return tars.reduce((sum, tar) => sum + tar.length, 0)
}

export const sumsOf = (folder, names) =>
  [...names]
    .sort()
    .map(
      (name) =>
        `${createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex')}  ${name}\n`,
    )
    .join('')

export const sizeOf = (file) => statSync(file).size
