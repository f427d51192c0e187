// Plants values that occur nowhere else and looks for them in every place that must not hold them.
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeAsRoot } from '../support/as-root.ts'
import { freshDatabase } from '../support/databases/fresh-database.ts'
import type { TestDatabase } from '../support/databases/test-database.ts'
import { unpackBundle } from '../support/bundle.ts'
import { newFilesRoot } from '../support/files.ts'
import {
  rotationCanaries,
  startRotatorService,
  type RotatorService,
} from '../support/leak-rotation.ts'
import { startLeakStore, storeCanaries, type LeakStore } from '../support/leak-stores.ts'
import { findPostgresBin } from '../support/databases/postgres-bin.ts'
import { startWorld, type World } from '../support/programs/processes.ts'
import { projectYaml, secretYaml, stageletYaml } from '../support/shop.ts'
import { createStack, idle, idleService, testImage, type Stack } from '../support/docker/stack.ts'
import type { SignedExposure } from '../../src/audit/exposure.ts'
import type { Where } from '../../src/generated/rest-types.ts'
import { passes } from '../support/eventually.ts'

const run = promisify(execFile)
const inFile = 'canary-in-a-file-7c22e1f0'
const forController = 'canary-for-controller-40d1'
/** No secret: it is shown beside the masked ones. */
const plain = 'canary-in-plain-sight-b3d8'
const canaries = [
  'canary-first-5f1c9a7e',
  'canary-"quoted" $b7 d23e',
  'canary-crash-91ab04cd',
  inFile,
  forController,
  ...rotationCanaries,
]
const fileSecretYaml = `---
apiVersion: stagely.dev/v1alpha1
kind: StagelySecret
metadata: {name: shop-file.db}
spec:
  projectRef: {name: shop}
  key: FILE
  scope: db
  type: file
  file: {target: /run/canary}
  value: ${inFile}
`
const controllerSecretYaml = `---
apiVersion: stagely.dev/v1alpha1
kind: StagelySecret
metadata: {name: shop-hook}
spec:
  projectRef: {name: shop}
  key: HOOK
  audience: Controller
  value: ${forController}
`
const plainSecretYaml = `---
apiVersion: stagely.dev/v1alpha1
kind: StagelySecret
metadata: {name: shop-level.web}
spec:
  projectRef: {name: shop}
  key: LEVEL
  scope: web
  visibility: Plain
  value: ${plain}
`
/** The forms that a value takes in logs, URLs, JSON and dumps. */
const forms = [...canaries, ...storeCanaries].flatMap((value) => [
  value,
  JSON.stringify(value).slice(1, -1),
  encodeURIComponent(value),
  Buffer.from(value).toString('base64').replace(/=+$/, '').slice(0, -1),
  Buffer.from(value).toString('hex'),
])
let searched = { texts: 0, bytes: 0 }
const found = (text: string): string[] => {
  searched = { texts: searched.texts + 1, bytes: searched.bytes + text.length }
  return forms.filter((form) => text.includes(form))
}

/** Contents of every file below a folder; what cannot be read is no place to hide. */
const contentsOf = async (dir: string): Promise<string> => {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  const files = entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name))
  return (await Promise.all(files.map((file) => readFile(file, 'latin1')))).join('\n')
}

/** '' where the process has ended. */
const commandLineOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  } catch {
    return ''
  }
}

/** Command lines of every process, sampled while things happen. Read at once: by promises it costs twice as much. */
const watchCommandLines = (): { stop(): Promise<string> } => {
  let on = true
  const seen = new Set<string>()
  /** How often each process that is there was looked at: after its first moments it becomes no other program. */
  let looks = new Map<string, number>()
  const sample = async (): Promise<void> => {
    while (on) {
      const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
      looks = new Map(pids.map((pid) => [pid, (looks.get(pid) ?? 0) + 1]))
      for (const [pid, look] of looks) {
        if (look > 10 && look % 100 > 0) continue
        seen.add(commandLineOf(pid))
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const sampling = sample()
  return {
    stop: async () => {
      on = false
      await sampling
      return [...seen].join('\n')
    },
  }
}

/** `$$` is a `$` that Compose leaves to the shell in the container. */
const dying = '["sh", "-c", "echo dying with $$FIRST and $$SECOND at $$LEVEL; exit 3"]'

describeAsRoot('no secret value leaks', () => {
  let world: World
  let stack: Stack
  let commandLines = ''
  let answers = ''
  let bundle: Record<string, string> = {}
  let fresh: TestDatabase
  let rotator: RotatorService
  let elsewhere: LeakStore
  let tempDir = ''
  const filesDir = newFilesRoot()

  beforeAll(async () => {
    stack = await createStack(`services:\n${idleService('web')}${idleService('db')}`)
    fresh = await freshDatabase()
    ;[rotator, elsewhere] = await Promise.all([startRotatorService(), startLeakStore()])
    tempDir = await mkdtemp(join(tmpdir(), 'stagely-leak-'))
    const allowed = `${rotator.address},${elsewhere.address}`
    world = await startWorld({
      databaseUrl: fresh.url,
      controllerEnv: { STAGELY_EGRESS_ALLOW: allowed, TMPDIR: tempDir },
      agentArgs: ['--files-dir', filesDir],
    })
    const watching = watchCommandLines()
    const say = async (...args: string[]): Promise<void> => {
      const { stdout, stderr } = await world.cli(...args)
      answers += stdout + stderr
    }
    const applied = await world.apply(
      projectYaml() +
        secretYaml('FIRST', canaries[0]!) +
        secretYaml('SECOND', canaries[1]!, 'web') +
        fileSecretYaml +
        controllerSecretYaml +
        plainSecretYaml +
        rotator.manifests +
        stageletYaml(stack.directory, stack.project),
    )
    answers += applied.stdout + applied.stderr
    answers += (await world.apply(elsewhere.manifests)).stdout
    await world.must('wait', '--for=condition=Fresh', 'stagelysecret/stored', '--timeout', '60s')
    await elsewhere.onBadDays(() => say('stores', 'refresh', 'leaky'))
    await say('get', 'secretstores', '-o', 'yaml')
    await world.must('wait', '--for=condition=SecretsInSync', 'stagelet/shop', '--timeout', '60s')
    const { id: dbId } = (await stack.containers())['db']!
    const startedAt = (await stack.docker('inspect', '-f', '{{.State.StartedAt}}', dbId)).trim()
    // A service that prints its secret while it dies: the last log lines are reported.
    await stack.write(
      `services:\n${idleService('web').replace(idle, () => dying)}${idleService('db')}`,
    )
    await world.must('deploy', 'shop')
    await world.apply(secretYaml('FIRST', canaries[2]!))
    await world.must('wait', '--for=condition=Degraded', 'stagelet/shop', '--timeout', '60s')
    const shown = async (...args: string[]): Promise<string> => (await world.cli(...args)).stdout
    await passes(async () => {
      expect(await shown('describe', 'rotation', 'nonsense')).toContain('is no JSON object')
      expect(await shown('describe', 'rotation', 'half')).toMatch(/Setting|Testing/)
      expect(await shown('describe', 'notifier', 'ops')).toContain('Retrying')
    })
    const kinds = ['stagelysecrets', 'stagelets', 'projects', 'agents', 'events']
    for (const kind of [...kinds, 'rotations', 'notifiers']) {
      await say('get', kind, '-o', 'yaml')
      await say('get', kind, '-o', 'wide')
    }
    await say('describe', 'stagelet', 'shop')
    const override = await world.must('diff', '--override', 'stagelet/shop')
    expect(override).toMatch(/"web":\n[^]*"SECOND": "\*{3}REDACTED\*{3}"[^]*dev.stagely.digest/)
    answers += override
    const byHand = async (...args: string[]): Promise<string> => {
      const at = ['--agent-data-dir', world.agentDir, '--stagelet', 'shop']
      const ran = await world.cliIn(world.dir, 'compose', ...at, '--', ...args)
      answers += ran.stdout + ran.stderr
      expect(ran.code, ran.stderr).toBe(0)
      return ran.stdout
    }
    const variables = await byHand('run', '--rm', 'web', 'env')
    expect(variables).toMatch(/^SECOND=\*{3}REDACTED\*{3}$/m)
    expect(variables).toContain(`LEVEL=${plain}`)
    await byHand('config')
    await byHand('logs', 'web')
    await byHand('--dry-run', 'up', '--force-recreate')
    await say('describe', 'stagelysecret', 'shop-first.global')
    await say('secrets', 'diff', '-p', 'shop', '--from', '0', '-o', 'json')
    await say('secrets', 'history', 'LEVEL', '-p', 'shop', '--scope', 'web')
    await say('secrets', 'history', 'FIRST', '-p', 'shop', '-o', 'json')
    for (const name of ['half', 'nonsense'])
      await say('rotation', 'history', name, '--project', name)
    await say('logs', 'shop', '--tail', 'all')
    await say('logs', 'shop', '-o', 'json', '-t')
    await say('activity', '-o', 'json')
    await say('report', 'receipt', 'shop', '-o', 'json')
    const stray = `${stack.project}-stray`
    const environment = join(world.dir, 'stray.env')
    await writeFile(environment, `OLD=${canaries[0]!}\n`)
    const of = ['--name', stray, '--env-file', environment, testImage, 'sleep', '600']
    await stack.docker('run', '-d', ...of)
    const places = await shown('where', 'FIRST', '--project', 'shop', '-o', 'json')
    await stack.docker('rm', '-f', stray)
    const { places: held } = JSON.parse(places) as Where
    expect(held).toContainEqual(
      expect.objectContaining({ container: stray, managed: false, at: 'OLD', version: 1 }),
    )
    expect(held).toContainEqual(
      expect.objectContaining({ service: `${stack.project}/db`, managed: true, at: 'FIRST' }),
    )
    expect(held).toContainEqual(expect.objectContaining({ kind: 'log', managed: true }))
    answers += places
    const receiptFile = join(world.dir, 'exposure.json')
    const exposed = await world.must(
      ...['report', 'exposure', 'FIRST', '--project', 'shop', '--version', '1', '-o', 'json'],
    )
    await writeFile(receiptFile, exposed)
    const { exposure } = JSON.parse(exposed) as SignedExposure
    const [first] = exposure.holders.filter(({ service }) => service === 'db')
    expect(first, exposed).toMatchObject({ stagelet: 'shop', certain: true })
    const offMs = Date.parse(first!.from.latest) - Date.parse(startedAt)
    expect(Math.abs(offMs)).toBeLessThanOrEqual(1_000)
    answers += exposed + (await world.must('report', 'verify', receiptFile))
    await writeFile(receiptFile, exposed.replace('"version": 1', '"version": 2'))
    expect((await world.cli('report', 'verify', receiptFile)).code).toBe(1)
    answers += await world.must('access', 'report', '-o', 'csv')
    const kept = await world.must('rollout', 'list', 'stagelet/shop', '-o', 'json')
    expect(kept).toContain(`dying with ***REDACTED*** and ***REDACTED*** at ${plain}`)
    answers += kept
    await say('apply', '-f', '/nonexistent')
    const file = join(world.dir, 'support.tar.gz')
    const machine = ['--agent-data-dir', world.agentDir, '--files-dir', filesDir]
    await world.must('support-bundle', '--output', file, '--logs', 'shop', ...machine)
    bundle = await unpackBundle(file)
    for (const path of ['/metrics', '/readyz', '/api/v1/openapi.json', '/api/docs']) {
      const { status, text } = await world.page(path)
      expect(status, path).toBe(200)
      answers += text
    }
    answers += (
      await world.cliWith(secretYaml('FIRST', `${canaries[0]!}-changed`), 'diff', '-f', '-')
    ).stdout
    answers += (
      await world.cliWith(
        secretYaml('FIRST', canaries[0]!).replace('value:', 'vlaue:'),
        'apply',
        '-f',
        '-',
      )
    ).stderr
    commandLines = await watching.stop()
  })
  afterAll(async () => {
    await world?.stop()
    await rotator?.close()
    await elsewhere?.close()
    await rm(tempDir, { recursive: true, force: true })
    await stack?.remove()
    await fresh?.drop()
    await rm(filesDir, { recursive: true, force: true })
  })

  it('reaches the container, so the search below looks for something that exists', async () => {
    // The revision that killed its service was taken back whole.
    await expect.poll(async () => (await stack.environmentOf('db'))['FIRST']).toBe(canaries[0])
    const { id } = (await stack.containers())['db']!
    expect(await stack.docker('exec', id, 'cat', '/run/canary')).toBe(inFile)
  })

  it('shows the failing service’s last lines, masked', async () => {
    const shown = await world.must('describe', 'stagelet', 'shop')
    expect(shown).toContain('dying with ***REDACTED***')
  })

  it('is not in any answer of the CLI', () => {
    expect(answers.length).toBeGreaterThan(1000)
    expect(answers).toContain('Vault answers with status 500')
    // A plain value beside the masked ones: in the differences and in its history.
    expect(answers.split(JSON.stringify(plain)).length).toBeGreaterThan(2)
    expect(found(answers)).toEqual([])
  })

  it('reads a plain value where names are read, and no masked one beside it', async () => {
    const yaml = await world.must('get', 'stagelysecret', 'shop-level.web', '-o', 'yaml')
    expect(yaml).toMatch(new RegExp(`^status:\n[^]*  value: ${plain}$`, 'm'))
    expect(yaml.split('status:')[0]).not.toContain(plain)
    const masked = await world.must('get', 'stagelysecret', 'shop-second.web', '-o', 'yaml')
    expect(masked).not.toContain('  value:')
    const reads = await world.must('admin', 'audit', 'list', '-o', 'json')
    const rows = (JSON.parse(reads) as object[]).map((row) => JSON.stringify(row))
    const ofLevel = rows.filter((row) => row.includes('shop-level.web'))
    expect(ofLevel.length).toBeGreaterThan(0)
    expect(ofLevel.filter((row) => /"action": ?"(reveal|export|read)/.test(row))).toEqual([])
  })

  it('is not in a support bundle, which shows containers and logs, nor are the keys of the agent', async () => {
    const text = Object.values(bundle).join('\n')
    expect(bundle['errors.txt']).toBe('')
    expect(bundle['machine/containers.json']).toContain('dev.stagely.digest')
    expect(bundle['machine/agent-state.json']).toContain(stack.project)
    expect(bundle['controller/logs-shop.txt']).toMatch(
      new RegExp(`dying with \\*{3}REDACTED\\*{3} .* at ${plain}`),
    )
    expect(found(text)).toEqual([])
    const kept = await readFile(join(world.agentDir, 'identity.json'), 'utf8')
    const { ed25519, x25519 } = JSON.parse(kept) as { ed25519: string; x25519: string }
    const keys = `${ed25519}\n${x25519}`.split('\n').filter((line) => /^[^-]{40,}$/.test(line))
    expect(keys.length).toBe(2)
    expect(keys.filter((word) => text.includes(word))).toEqual([])
  })

  it('is not in the output of controller and agent', () => {
    expect(found(world.allOutput())).toEqual([])
  })

  it('is not in the command line of any process', () => {
    expect(commandLines).toContain('stagely')
    expect(found(commandLines)).toEqual([])
  })

  it('is not in the folders of controller and agent, nor in the user’s tree', async () => {
    expect(found(await contentsOf(world.controllerDir))).toEqual([])
    expect(found(await contentsOf(world.agentDir))).toEqual([])
    expect(await readdir(stack.directory)).toEqual(['docker-compose.yml'])
    expect(await readdir(tempDir)).toEqual([])
  })

  it('is not in a dump of the database', async () => {
    const { stdout } = await run(join(findPostgresBin(), 'pg_dump'), ['--inserts', fresh.url], {
      maxBuffer: 1 << 28,
    })
    expect(stdout).toContain('secret_versions')
    // A credential that is under way, which was made outside, and a notice that could not be told.
    expect(rotator.asked.join('\n')).toContain(rotationCanaries[0])
    expect(stdout).toMatch(/INSERT INTO public.staged_values .*'new', 'token'/)
    expect(stdout).toMatch(/INSERT INTO public.outbox .*RotationFailed/)
    expect(stdout).toMatch(/"key": ?"prod.db"/)
    expect(found(stdout)).toEqual([])
  })

  it('is not in the environment of controller and agent', async () => {
    for (const program of [world.controller, world.agent]) {
      expect(found(await readFile(`/proc/${program.child.pid}/environ`, 'latin1'))).toEqual([])
    }
    console.info(
      `leak: ${forms.length} forms of ${canaries.length + storeCanaries.length} values, looked for in ${searched.texts} texts of ${(searched.bytes / 1e6).toFixed(1)} MB`,
    )
  })
})
