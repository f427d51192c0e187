// Previews: stacks of a template, side by side on the real engine, each of which goes as if it had never been.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { realClock } from '../../src/kernel/clock.ts'
import { agentHereAfter } from '../support/agents/agent-here.ts'
import { controllerHereAfter } from '../support/programs/controller-here.ts'
import { passes } from '../support/eventually.ts'
import { createRandom } from '../support/random.ts'
import { soak } from '../support/soak.ts'
import { freshDatabase } from '../support/databases/fresh-database.ts'
import { startWorld, type Ran, type World } from '../support/programs/processes.ts'
import { createStack, idle, testImage, type Stack } from '../support/docker/stack.ts'

const compose = `services:
  web:
    image: \${NO_IMAGE:-none}
    command: ${idle}
    init: true
    ports: ["127.0.0.1:\${WEB_PORT:-8080}:80"]
    volumes: ["data:/data", "./site:/site"]
    environment: {HOST: "\${HOST:-none}"}
volumes: {data: {}}
`

describe('previews', () => {
  let world: World
  let stack: Stack
  let place: string
  /** Its name is a part of the names of all Compose projects. */
  let project: string

  const template = (more: string): string => `
  preview:
    environment: preview
    from: ${project}
    directory: ${place}/{name}
    variables: {WEB_PORT: "{port 20000-29999}", HOST: "{name}.example.com"}
    generate: [POSTGRES_PASSWORD]
    images: {web: stagely-test/*}
${more}`
  const manifests = (more = ''): string => `---
apiVersion: stagely.dev/v1alpha1
kind: Project
metadata: {name: ${project}}
spec:
  environments: [{name: production}, {name: preview, inherits: Nothing}]${template(more)}---
apiVersion: stagely.dev/v1alpha1
kind: Stagelet
metadata: {name: ${project}}
spec:
  projectRef: {name: ${project}}
  agentRef: {name: box}
  environment: production
  paused: true
  compose: {directory: ${stack.directory}, projectName: ${stack.project}}
`
  const preview = (...args: string[]): Promise<Ran> => world.cli('preview', ...args)
  const up = (name: string, ...args: string[]): Promise<Ran> =>
    preview('up', name, '--from', project, '--image', `web=${testImage}`, ...args)
  const lines = async (...args: string[]): Promise<string[]> =>
    (await stack.docker(...args)).split('\n').filter((line) => line.includes(project))
  /** What the engine has of previews: containers with ids and starts, volumes, networks. */
  const inEngine = async (): Promise<string[]> => [
    ...(await lines('ps', '-a', '--no-trunc', '--format', '{{.Names}} {{.ID}} {{.CreatedAt}}')),
    ...(await lines('volume', 'ls', '--format', '{{.Name}}')),
    ...(await lines('network', 'ls', '--format', '{{.Name}}')),
  ]
  const inContainer = (name: string, script: string): Promise<string> =>
    stack.docker('exec', `${project}-${name}-web-1`, 'sh', '-c', script)

  beforeAll(async () => {
    stack = await createStack(compose)
    await mkdir(join(stack.directory, 'site'))
    await writeFile(join(stack.directory, 'site', 'index'), 'as in the source\n')
    await stack.keepTree()
    project = stack.project.replace('stagely-t-', 'p')
    place = await mkdtemp(join(tmpdir(), 'stagely-previews-'))
    world = await startWorld({
      controllerBy: controllerHereAfter(2),
      agentBy: agentHereAfter(2),
      database: await freshDatabase(),
    })
    expect((await world.apply(manifests())).code).toBe(0)
  })
  afterAll(async () => {
    for (const name of world === undefined ? [] : ['kept', 'pr-1', 'pr-2', 'pr-3', 'pr-4'])
      await preview('down', name, '--yes', '--no-wait')
    await world?.stop()
    await stack?.remove()
    await rm(place, { recursive: true, force: true })
  })

  it('come up by one command, with an address, a folder, values and secrets of their own', async () => {
    const comment = join(place, 'comment.md')
    const made = await up('kept', '--set', 'FEATURE_X=on', '--json', '--comment', comment)
    expect(made).toMatchObject({ code: 0 })
    expect(made.stderr).toMatch(/Gating: waiting until revision/)
    const shown = JSON.parse(made.stdout) as { addresses: string[] }
    expect(shown).toMatchObject({
      name: 'kept',
      project,
      stagelet: `${project}-kept`,
      environment: 'preview',
      state: 'Healthy',
      images: { web: testImage },
    })
    expect(shown.addresses).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.1:2\d{4}$/)])
    expect(await readFile(comment, 'utf8')).toContain(`- ${shown.addresses[0]}\n`)
    await rm(comment)
    expect(
      await inContainer('kept', 'cat /site/index; echo $HOST $FEATURE_X ${#POSTGRES_PASSWORD}'),
    ).toBe('as in the source\nkept.example.com on 32\n')
    expect((await preview('open', 'kept', '--print')).stdout).toBe(`${shown.addresses[0]}\n`)
    expect((await preview('list')).stdout).toMatch(/^kept +\S+ +preview +Healthy +\d+s +in /m)
    const before = await inEngine()
    // Again, with nothing new: nothing is made anew, and the end is put off.
    expect((await up('kept')).code).toBe(0)
    expect(await inEngine()).toEqual(before)
    expect((await up('kept', '--set', 'FEATURE_X=off')).code).toBe(0)
    expect(await inContainer('kept', 'echo $FEATURE_X')).toBe('off\n')
  })

  it('that cannot start say why, and keep their logs', async () => {
    await writeFile(
      join(stack.directory, 'docker-compose.yml'),
      compose.replace(idle, '["sh", "-c", "echo cannot start; exit 3"]'),
    )
    const failed = await up('pr-1', '-o', 'json')
    await writeFile(join(stack.directory, 'docker-compose.yml'), compose)
    await stack.keepTree()
    expect(failed.code).toBe(1)
    expect(JSON.parse(failed.stdout)).toMatchObject({ name: 'pr-1', state: 'Failed' })
    expect(failed.stdout).toContain('cannot start')
    expect((await preview('logs', 'pr-1')).stdout).toContain('cannot start')
    expect((await preview('down', 'pr-1')).stderr).toMatch(/Take preview pr-1 of .* down/)
    expect((await preview('down', 'pr-1', '--yes')).stdout).toBe('preview/pr-1 is gone\n')
  })

  it('go up and down at random, by three callers, under kills of controller and agent, and leave nothing', async () => {
    const before = await inEngine()
    const names = Array.from({ length: soak(4, 20) }, (_, i) => `pr-${i + 1}`)
    const random = createRandom(Number(process.env['STAGELY_PREVIEW_SEED'] ?? 7))
    let ups = 0
    const caller = async (): Promise<void> => {
      for (let i = 0; i < 10; i++) {
        const name = random.pick(names)
        const waits = random.once(4) ? [] : ['--no-wait']
        // While the controller is down nobody answers: a round that nobody heard is none.
        await passes(async () => {
          const made = await up(name, '--timeout', '10s', '--set', `ROUND=${i}`, ...waits)
          if (made.code === 0) ups++
          return !made.stderr.includes('nothing listens')
        })
        if (random.once(2)) await preview('down', random.pick(names), '--yes', '--no-wait')
      }
    }
    const killer = async (): Promise<void> => {
      for (const what of ['agent', 'controller', 'agent'] as const) {
        await realClock.sleep(random.between(500, 2_500))
        await world[what].kill('SIGKILL')
        await realClock.sleep(random.below(500))
        if (what === 'controller') await world.startController()
        else await world.startAgent()
      }
    }
    await Promise.all([caller(), caller(), caller(), killer()])
    expect(ups).toBeGreaterThan(10)
    // In the long form all are there at once, side by side.
    for (const name of names.slice(soak(names.length, 0)))
      expect(await up(name)).toMatchObject({ code: 0 })
    const left = JSON.parse((await preview('list', '-o', 'json')).stdout) as {
      name: string
      addresses?: string[]
    }[]
    const addresses = left.flatMap((one) => one.addresses ?? [])
    expect(addresses.length).toBeGreaterThanOrEqual(soak(1, 21))
    expect(new Set(addresses).size).toBe(addresses.length)
    const others = left.filter(({ name }) => name !== 'kept')
    const gone = await Promise.all(others.map(({ name }) => preview('down', name, '--yes')))
    expect(gone.filter(({ code }) => code !== 0)).toEqual([])
    expect(await inEngine()).toEqual(before)
    expect(await readdir(place)).toEqual(['kept'])
    const noted = JSON.parse(await readFile(join(world.agentDir, 'state.json'), 'utf8')) as {
      stagelets: object
      left: object
      given: object
    }
    expect(Object.keys(noted.left)).toEqual([])
    expect(Object.keys(noted.given)).toEqual([`${project}-kept`])
    expect(
      Object.values(noted.stagelets).map(({ project: own }: { project: string }) => own),
    ).toEqual([`${project}-kept`])
    const images = await readdir(join(world.agentDir, 'images'))
    expect(images).toEqual(Object.keys(noted.stagelets).map((uid) => `${uid}.yaml`))
    const objects = await world.must('get', 'stagelets,stagelysecrets', '-o', 'name')
    expect(objects.split('\n').filter((line) => line.includes('pr-'))).toEqual([])
    expect(await inContainer('kept', 'echo $FEATURE_X')).toBe('off\n')
  })

  it('go by one command, with all that was theirs', async () => {
    expect((await preview('down', 'kept', '--yes')).stdout).toBe('preview/kept is gone\n')
    expect(await inEngine()).toEqual([])
    expect(await readdir(place)).toEqual([])
    const secrets = await world.must('get', 'stagelysecrets', '-o', 'name')
    expect(secrets).toBe('')
    await stack.checkTree()
  })
})
