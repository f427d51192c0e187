// What lies below the program in an image: a C library, a shell, and for the agent Compose, which runs without Docker's
// command. Packages of Debian, pinned by packaging/image/debian.lock; `--update` of the release writes that anew.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

export const packages = {
  base: ['base-files', 'busybox-static', 'gcc-14-base', 'libc6', 'libgcc-s1', 'libstdc++6'],
  agent: ['docker-compose'],
}

/**
 * Programs beside stagely itself, and where they are. Pods of the chart run some: `sleep` before they stop, `node` in the
 * test of an installation.
 */
export const programs = {
  ...Object.fromEntries(
    ['sh', 'dirname', 'readlink', 'env', 'cat', 'ls', 'sleep'].map((name) => [name, 'busybox']),
  ),
  node: '../lib/stagely/node',
}

/** Parts that nothing in the image reads. */
const unused = [
  ...['doc', 'man', 'locale', 'lintian', 'info'].map((name) => `usr/share/${name}`),
  ...['bash-completion', 'zsh', 'fish'].map((name) => `usr/share/${name}`),
  ...['x86_64', 'aarch64'].map((name) => `usr/lib/${name}-linux-gnu/gconv`),
  'usr/lib/systemd',
]

const lockOf = (root) => join(root, 'packaging/image/debian.lock')

/** apt with the lists of another machine, in a folder of its own. */
const aptOf = (cache, { debian }) => {
  const dir = join(cache, debian)
  for (const part of ['lists/partial', 'archives/partial', 'debs'])
    mkdirSync(join(dir, part), { recursive: true })
  writeFileSync(join(dir, 'status'), '')
  const options = {
    'Dir::State::status': join(dir, 'status'),
    'Dir::State::lists': join(dir, 'lists'),
    'Dir::Cache': dir,
    'APT::Architecture': debian,
    'APT::Architectures::': debian,
    'APT::Sandbox::User': 'root',
  }
  const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  return {
    debs: join(dir, 'debs'),
    run: (...args) =>
      execFileSync('apt-get', ['-qq', ...flags, ...args], {
        cwd: join(dir, 'debs'),
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
  }
}

const sumOf = (file) => createHash('sha256').update(readFileSync(file)).digest('hex')

/** Downloads what the lock file names, or with `update` what Debian has now. Returns the file of each package. */
export const fetchPackages = (root, machine, update) => {
  const apt = aptOf(join(root, 'node_modules/.cache/stagely-debian'), machine)
  const names = [...packages.base, ...packages.agent]
  const lines = existsSync(lockOf(root)) ? readFileSync(lockOf(root), 'utf8').split('\n') : []
  const locked = lines
    .filter((line) => line.startsWith(`${machine.debian} `))
    .map((line) => line.split(' '))
  const isThere = ([, , , file, sum]) =>
    existsSync(join(apt.debs, file)) && sumOf(join(apt.debs, file)) === sum
  if (update || !locked.every(isThere)) {
    for (const file of readdirSync(apt.debs)) rmSync(join(apt.debs, file))
    apt.run('update')
    apt.run(
      'download',
      ...(update ? names : locked.map(([, name, version]) => `${name}=${version}`)),
    )
  }
  if (!update) {
    const wrong = locked.filter((row) => !isThere(row)).map(([, name]) => name)
    if (wrong.length > 0 || locked.length === 0)
      throw new Error(
        `not what packaging/image/debian.lock names: ${wrong.join(', ')}; npm run release -- --update takes what Debian has now`,
      )
    return Object.fromEntries(locked.map(([, name, , file]) => [name, join(apt.debs, file)]))
  }
  const rows = readdirSync(apt.debs)
    .sort()
    .map((file) => {
      const path = join(apt.debs, file)
      const shown = execFileSync(
        'dpkg-deb',
        ['--show', '--showformat=${Package} ${Version}', path],
        { encoding: 'utf8' },
      )
      return `${machine.debian} ${shown} ${file} ${sumOf(path)}`
    })
  mkdirSync(join(root, 'packaging/image'), { recursive: true })
  writeFileSync(
    lockOf(root),
    [...lines.filter((line) => line !== '' && !line.startsWith(`${machine.debian} `)), ...rows]
      .sort()
      .join('\n') + '\n',
  )
  return fetchPackages(root, machine, false)
}

/** Unpacks packages into `folder`; nothing of them runs. */
export const unpack = (files, folder) => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const file of files) execFileSync('dpkg-deb', ['-x', file, folder])
  for (const part of unused) rmSync(join(folder, part), { recursive: true, force: true })
}

/** The lowest layer: users by number have no home, and write to /tmp and to what is mounted. */
export const finishBase = (folder, machine) => {
  const loader = machine.debian === 'amd64' ? 'lib64' : 'lib'
  for (const name of ['bin', 'sbin', 'lib', ...(loader === 'lib64' ? ['lib64'] : [])])
    if (!existsSync(join(folder, name))) symlinkSync(`usr/${name}`, join(folder, name))
  for (const [name, target] of Object.entries(programs))
    if (!existsSync(join(folder, 'usr/bin', name)))
      symlinkSync(target, join(folder, 'usr/bin', name))
  for (const [name, mode] of [
    ['tmp', 0o1777],
    ['etc', 0o755],
  ]) {
    mkdirSync(join(folder, name), { recursive: true })
    chmodSync(join(folder, name), mode)
  }
  writeFileSync(
    join(folder, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nstagely:x:1000:1000::/var/lib/stagely:/bin/sh\n',
  )
  writeFileSync(join(folder, 'etc/group'), 'root:x:0:\nstagely:x:1000:\n')
}

/** The data folder as a new volume begins, of the user that the image names: the controller closes the folder to all others. */
export const writeDataFolder = (folder) => {
  mkdirSync(join(folder, 'var/lib/stagely'), { recursive: true })
  chmodSync(join(folder, 'var/lib/stagely'), 0o700)
  return { folder, owner: 1000, names: ['var/lib/stagely'] }
}
