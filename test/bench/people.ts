// The long form of test/integration/compose-equality.test.ts, over the stacks of a folder, each in a
// folder of its own, and over those of test/support/docker/people-stacks.ts:
//   STAGELY_STACKS=DIR [STAGELY_NEWER_COMPOSE=…] npx tsx test/bench/people.ts [--newer] [NAME…]
// Compose says what a stack is; images, builds, and what reaches out of it, are stand-ins.
import { cp, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCompose } from '../../src/compose/compose.ts'
import { compareStack, type Compared } from '../support/compared.ts'
import { environmentFor } from '../support/docker/docker.ts'
import { makeTestImage } from '../support/docker/docker-setup.ts'
import { newerCompose } from '../support/docker/newer-compose.ts'
import { lookAlikes } from '../support/agents/look-alikes.ts'
import { featureStacks, newerStacks } from '../support/docker/feature-stacks.ts'
import { moreLookAlikes } from '../support/agents/more-look-alikes.ts'
import { peopleStacks, type PeopleStack } from '../support/docker/people-stacks.ts'
import { testImage } from '../support/docker/stack.ts'

interface Service {
  [field: string]: unknown
  depends_on?: Record<string, { condition?: string }>
  ports?: { target: number }[]
  volumes?: { type: string; source?: string }[]
}
interface Project {
  services: Record<string, Service>
  [part: string]: unknown
}

const idles = `trap 'exit 0' TERM; while :; do sleep 1 & wait $$!; done`

const standIn = (service: Service, isJob: boolean, directory: string): Service => {
  const {
    build: _b,
    ports = [],
    volumes = [],
    container_name: _c,
    platform: _p,
    // The stand-in has no other user, and the engine no other runtime.
    user: _u,
    runtime: _r,
    devices: _d,
    healthcheck,
    ...rest
  } = service
  return {
    ...rest,
    image: testImage,
    entrypoint: ['sh', '-c', isJob ? 'true' : idles, '--'],
    ports: ports.map(({ target }) => ({ target })),
    ...(healthcheck === undefined
      ? {}
      : { healthcheck: { test: ['CMD', 'true'], interval: '300ms', retries: 20 } }),
    // What lies outside of the stack's folder is not made there.
    volumes: volumes.filter((v) => v.type !== 'bind' || (v.source ?? '').startsWith(directory)),
  }
}

/** Those of the machine become the stack's own; of a network its addresses stay. */
const inStack = (parts: unknown): Record<string, object> =>
  Object.fromEntries(
    Object.entries((parts ?? {}) as Record<string, { ipam?: object } | null>).map(
      ([name, part]) => [name, part?.ipam === undefined ? {} : { ipam: part.ipam }],
    ),
  )

const readStack = async (from: string, name: string): Promise<PeopleStack> => {
  const directory = await mkdtemp(join(tmpdir(), 'stagely-people-'))
  try {
    await cp(from, directory, { recursive: true })
    const env = await environmentFor()
    const compose = await openCompose(env)
    const call = { cwd: directory, env, mask: (text: string) => text }
    const { stdout } = await compose.run({ ...call, verb: ['config', '--format', 'json'] })
    const project = JSON.parse(stdout) as Project
    const jobs = new Set(
      Object.values(project.services).flatMap((s) =>
        Object.entries(s.depends_on ?? {}).flatMap(([on, { condition }]) =>
          condition === 'service_completed_successfully' ? on : [],
        ),
      ),
    )
    // Conditions need a check; a stand-in has none of its image.
    const checked = new Set(
      Object.values(project.services).flatMap((s) =>
        Object.entries(s.depends_on ?? {}).flatMap(([on, { condition }]) =>
          condition === 'service_healthy' ? on : [],
        ),
      ),
    )
    const services = Object.fromEntries(
      Object.entries(project.services).map(([service, own]) => {
        const given = checked.has(service) ? { healthcheck: {}, ...own } : own
        return [service, standIn(given, jobs.has(service), directory)]
      }),
    )
    const { name: _n, secrets: _s, configs: _f, ...parts } = project
    const withoutFiles = Object.values(services).map(({ secrets: _a, configs: _o, ...s }) => s)
    const names = Object.keys(services)
    const text = JSON.stringify({
      ...parts,
      services: Object.fromEntries(names.map((n, i) => [n, withoutFiles[i]])),
      networks: inStack(parts['networks']),
      volumes: inStack(parts['volumes']),
    })
    const kept: Record<string, string> = {}
    for (const { volumes = [] } of Object.values(services))
      for (const { type, source = '' } of volumes) {
        const path = source.slice(directory.length + 1)
        if (type !== 'bind' || path === '') continue
        const isFile = await stat(source).then(
          (s) => s.isFile(),
          () => false,
        )
        kept[isFile ? path : `${path}/.keep`] = ''
      }
    const files = {
      ...kept,
      'docker-compose.yml': text.replaceAll(`${directory}/`, './').replaceAll(directory, '.'),
    }
    return { name, service: names.sort()[0]!, files }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const isRight = (c: Compared): boolean =>
  [c.differences, c.wouldChange, c.pendingEdits, c.ranAgain].every((list) => list.length === 0)

const main = async (args: readonly string[]): Promise<void> => {
  await makeTestImage()
  const folder = process.env['STAGELY_STACKS']
  const binary = args.includes('--newer') ? await newerCompose() : undefined
  const names = args.filter((a) => !a.startsWith('--'))
  const isAsked = (name: string): boolean => names.length === 0 || names.includes(name)
  const own = [...peopleStacks, ...lookAlikes, ...moreLookAlikes, ...featureStacks]
  const found: (() => Promise<PeopleStack>)[] = [
    ...own,
    ...(binary === undefined ? [] : newerStacks),
  ]
    .filter(({ name }) => isAsked(name))
    .map((stack) => () => Promise.resolve(stack))
  for (const name of folder === undefined ? [] : (await readdir(folder)).sort()) {
    const isFolder = (await stat(join(folder!, name))).isDirectory()
    if (isFolder && isAsked(name)) found.push(() => readStack(join(folder!, name), name))
  }
  const counts = { tried: 0, equal: 0, containers: 0, notMade: 0 }
  const work = async (): Promise<void> => {
    for (let next = found.shift(); next !== undefined; next = found.shift()) {
      let name = ''
      try {
        const stack = await next()
        name = stack.name
        const compared = await compareStack(stack, binary)
        counts.tried++
        counts.containers += compared.containers
        if (isRight(compared)) counts.equal++
        console.info(
          isRight(compared)
            ? `equal   ${name}`
            : `differs ${name} ${JSON.stringify(compared, null, 1)}`,
        )
      } catch (error) {
        counts.notMade++
        console.info(`not made ${name}: ${String(error).slice(0, 600)}`)
      }
    }
  }
  await Promise.all([work(), work(), work()])
  console.info(JSON.stringify(counts))
}

await main(process.argv.slice(2))
