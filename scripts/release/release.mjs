// npm run release [-- --only npm|archive|deb|image,…] [--machine x64|arm64] [--update] [--out DIR]
// [--fast]: makes all files of a release in dist-release, and says their sizes. --fast packs less, for tests.
// Twice gives the same bytes, by the same Node, xz, dpkg and binutils.
// A signature is made where MINISIGN_SECRET_KEY_FILE names a key (made with `minisign -G -W`).
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { sizeOf, sumsOf, writeArchive, writeDeb, writeImage } from './artefacts.mjs'
import { fetchPackages, finishBase, packages, unpack, writeDataFolder } from './image-base.mjs'
import { compareWithUpstream, fetchNode, machines } from './node-runtime.mjs'
import { writeApp, writeCommonTree, writeTree } from './tree.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'npm,archive,deb,image,sbom' },
    machine: { type: 'string' },
    update: { type: 'boolean', default: false },
    out: { type: 'string', default: 'dist-release' },
    'no-build': { type: 'boolean', default: false },
    fast: { type: 'boolean', default: false },
  },
})
const kinds = values.only.split(',')
const out = resolve(values.out)
const work = join(out, '.work')
const run = (file, args, options = {}) =>
  execFileSync(file, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 28,
    ...options,
  })

const { version, license, description, engines, type, bin } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
)
/** No dependencies, and no scripts. */
const manifest = { name: 'stagely', version, description, license, type, engines, bin }
const epoch = Number(
  process.env.SOURCE_DATE_EPOCH ?? run('git', ['log', '-1', '--format=%ct']).toString().trim(),
)
const about = { version, date: new Date(epoch * 1000).toISOString().slice(0, 10) }
/** Millions of bytes, as limits are given. */
const megabytes = (bytes) => Math.round(bytes / 1e5) / 10
const level = values.fast ? 0 : 6
const sizes = []
const said = []

/** A file may be no larger than people expect. */
const note = (file, limit, unpacked) => {
  const bytes = unpacked ?? sizeOf(join(out, file))
  sizes.push({
    file,
    bytes: sizeOf(join(out, file)),
    ...(unpacked !== undefined && { unpacked }),
    limit,
  })
  if (limit !== undefined && bytes > limit * 1e6)
    said.push(`${file} has ${megabytes(bytes)} MB; the goal is ${limit}`)
}

const makeNpm = () => {
  const folder = join(work, 'npm')
  writeApp(root, folder, { ...manifest, files: ['dist'] })
  run('cp', ['README.md', 'CHANGELOG.md', folder])
  const name = run('npm', ['pack', '--silent', '--pack-destination', out], { cwd: folder })
    .toString()
    .trim()
  note(name, 12)
}

const controllerConfig = {
  User: '1000:1000',
  Entrypoint: ['/usr/bin/stagely'],
  Cmd: ['controller', '--data-dir', '/var/lib/stagely', '--listen', '0.0.0.0:8443'],
  ExposedPorts: { '8443/tcp': {} },
  Volumes: { '/var/lib/stagely': {} },
}
const agentConfig = {
  Entrypoint: ['/usr/bin/stagely'],
  Cmd: ['agent', 'run', '--data-dir', '/var/lib/stagely-agent'],
}
/** The pages and the embedded database, which are the controller's. */
const notOfAgent = [
  ...['dashboard', 'docs', 'api-docs'],
  ...['pglite*', 'initdb.wasm', 'empty-cluster.tar.gz', 'migrations'].map((name) => `cli/${name}`),
].map((name) => `usr/lib/stagely/app/dist/${name}`)
const env = { Env: ['PATH=/usr/bin:/bin', 'NODE_ENV=production', 'HOME=/tmp'] }

const makeImages = (machine, tree) => {
  const files = fetchPackages(root, machine, values.update)
  const folders = { base: join(work, 'base'), agent: join(work, 'docker') }
  for (const [name, folder] of Object.entries(folders))
    unpack(
      packages[name].map((one) => files[one]),
      folder,
    )
  finishBase(folders.base, machine)
  const data = writeDataFolder(join(work, 'data'))
  const [base, docker, program] = [folders.base, folders.agent, tree].map((folder) => ({ folder }))
  const agent = { ...program, without: notOfAgent }
  for (const [name, config, layers, limit] of [
    ['controller', controllerConfig, [base, program, data], 170],
    // Node.js has 109 MB, Compose 64, the C and C++ libraries with a shell 10.
    ['agent', agentConfig, [base, docker, agent], 195],
  ]) {
    const file = `stagely-${name}-${version}-${machine.oci}.oci.tar`
    const tag = name === 'agent' ? `stagely-agent:${version}` : `stagely:${version}`
    const unpacked = writeImage(layers, join(out, file), {
      machine,
      epoch,
      tag,
      work: join(work, 'image'),
      config: { ...config, ...env },
    })
    note(file, limit, unpacked)
  }
}

const makeFor = async (machine, common, nodeOf) => {
  const tree = join(work, machine.npm)
  const node = nodeOf(machine)
  said.push(await compareWithUpstream(machine, node, nodeVersion))
  writeTree(common, tree, { machine, node })
  if (kinds.includes('archive')) {
    const name = `stagely-${version}-linux-${machine.npm}`
    writeArchive(tree, name, join(out, `${name}.tar.xz`), { epoch, level })
    note(`${name}.tar.xz`, 45)
  }
  if (kinds.includes('deb')) {
    const name = `stagely_${version}_${machine.debian}.deb`
    writeDeb(tree, join(out, name), { machine, version, epoch, level })
    note(name, 45)
  }
  if (kinds.includes('image')) {
    for (const part of ['usr/share', 'usr/lib/systemd'])
      rmSync(join(tree, part), { recursive: true })
    makeImages(machine, tree)
  }
}

/** Of all packages those that are bundled: npm counts every package as one of developers. */
const makeSbom = () => {
  const name = `stagely-${version}.cdx.json`
  const command = join(root, 'node_modules/.bin/cyclonedx-npm')
  const flags = ['--output-reproducible', '--package-lock-only', '--flatten-components']
  const all = JSON.parse(run(command, [...flags, '--of', 'JSON', '-o', '-']))
  const bundled = readFileSync(join(root, 'dist/bundled.json'), 'utf8')
  const isShipped = ({ properties }) =>
    properties.some(
      ({ name: what, value }) =>
        what === 'cdx:npm:package:path' &&
        (bundled.includes(`"${value}/`) || value === 'node_modules/swagger-ui-dist'),
    )
  const components = all.components.filter(isShipped)
  const node = { type: 'application', name: 'node', version: nodeVersion }
  const refs = new Set(components.map((component) => component['bom-ref']))
  const dependencies = all.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((on) => refs.has(on)) }))
  const sbom = { ...all, components: [...components, node], dependencies }
  writeFileSync(join(out, name), `${JSON.stringify(sbom, null, 2)}\n`)
  note(name)
}

const sign = () => {
  const key = process.env.MINISIGN_SECRET_KEY_FILE
  if (key === undefined) return 'not signed: MINISIGN_SECRET_KEY_FILE names no key'
  run('minisign', ['-S', '-s', key, '-t', `stagely ${version}`, '-m', join(out, 'SHA256SUMS')])
  return 'SHA256SUMS.minisig signs SHA256SUMS'
}

const nodeVersion = Object.values(
  JSON.parse(readFileSync(join(root, 'packaging/node/package.json'), 'utf8')).dependencies,
)[0]

const wanted = machines.filter(({ npm }) => npm === (values.machine ?? npm))
const hasTrees = ['archive', 'deb', 'image'].some((kind) => kinds.includes(kind))

/** Said before minutes of work, and in one sentence. */
const missing = [
  ...(hasTrees
    ? wanted.map(({ strip }) => [
        strip,
        `binutils-${strip.replace(/-strip$/, '').replace('_', '-')}`,
      ])
    : []),
  ...(kinds.includes('archive') ? [['xz', 'xz-utils']] : []),
  ...(kinds.includes('deb') ? [['dpkg-deb', 'dpkg']] : []),
].filter(([tool]) => spawnSync(tool, ['--version']).error !== undefined)
if (missing.length > 0) {
  const all = missing.map(([tool, name]) => `${tool} (package ${name})`).join(', ')
  process.stderr.write(
    `error: missing: ${all}. For one kind of machine alone: --machine x64 or arm64\n`,
  )
  process.exit(1)
}

rmSync(out, { recursive: true, force: true })
mkdirSync(work, { recursive: true })
if (!existsSync(join(root, 'node_modules/.package-lock.json')))
  run('npm', ['ci', '--no-audit', '--no-fund'])
if (!values['no-build'])
  run('npm', ['run', '--silent', 'build'], { stdio: ['ignore', 'inherit', 'inherit'] })
if (kinds.includes('npm')) makeNpm()
if (hasTrees) {
  const common = join(work, 'common')
  await writeCommonTree(root, common, { manifest, about })
  const nodeOf = fetchNode(root)
  for (const machine of wanted) await makeFor(machine, common, nodeOf)
}
if (kinds.includes('sbom')) makeSbom()
rmSync(work, { recursive: true })
writeFileSync(join(out, 'SHA256SUMS'), sumsOf(out, readdirSync(out)))
said.push(sign())
writeFileSync(
  join(out, 'sizes.json'),
  `${JSON.stringify({ version, node: nodeVersion, files: sizes }, null, 2)}\n`,
)
const width = Math.max(...sizes.map(({ file }) => file.length))
for (const { file, bytes, unpacked } of sizes)
  console.log(
    `${file.padEnd(width)}  ${String(megabytes(bytes)).padStart(6)} MB${unpacked === undefined ? '' : `  (${megabytes(unpacked)} unpacked)`}`,
  )
for (const line of said) console.log(line)
