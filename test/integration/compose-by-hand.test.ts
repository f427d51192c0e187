// `stagely compose`: a person runs Compose through the agent. Containers keep their secrets, nothing
// prints one, and what was done is told.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { controllerHere } from '../support/programs/controller-here.ts'
import { eventually } from '../support/eventually.ts'
import { freshDatabase } from '../support/databases/fresh-database.ts'
import { runPage } from '../support/page-commands.ts'
import { main, runCli, startWorld, type Ran, type World } from '../support/programs/processes.ts'
import { projectYaml, secretYaml, stageletYaml } from '../support/shop.ts'
import { shortLived } from '../support/short-lived.ts'
import { createStack, idleService, recreatedBetween, type Stack } from '../support/docker/stack.ts'

const secret = 'the-secret-of-a-hand'

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

describe('stagely compose', () => {
  let world: World
  let stack: Stack

  beforeAll(async () => {
    stack = await createStack(
      `services:\n${idleService('web', '    stop_grace_period: 1s\n')}${idleService('db')}`,
    )
    world = await startWorld({ controllerBy: controllerHere, database: await freshDatabase() })
    await world.apply(
      projectYaml() +
        secretYaml('TOKEN', secret, 'web') +
        secretYaml('PIN', '4711', 'web') +
        stageletYaml(stack.directory, stack.project),
    )
    await world.must('wait', '--for=condition=SecretsInSync', 'stagelet/shop', '--timeout', '60s')
  })
  afterAll(async () => {
    await world?.stop()
    await stack?.remove()
  })

  const wordsOf = (args: readonly string[]): string[] => [
    ...['compose', '--agent-data-dir', world.agentDir, ...args],
  ]
  /** As a person who is in the folder; a process that can be interrupted. */
  const start = (args: readonly string[]) =>
    spawn(process.execPath, [...shortLived, '--', main, ...wordsOf(args)], {
      cwd: stack.directory,
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  const run = (args: readonly string[], cwd = stack.directory): Promise<Ran> =>
    runCli(wordsOf(args), { SUDO_USER: 'ann' }, '', cwd)
  const drifted = async (): Promise<Condition | undefined> => {
    const { status } = (await world.read('stagelets/shop')) as {
      status: { conditions: Condition[] }
    }
    return status.conditions.find(({ type }) => type === 'Drifted')
  }
  const eventsSaying = async (text: RegExp): Promise<string[]> => {
    const { items } = JSON.parse(await world.must('get', 'events', '-o', 'json')) as {
      items: { reason: string; message: string }[]
    }
    return items.filter(({ message }) => text.test(message)).map(({ reason }) => reason)
  }

  it('re-creates just the service that is named, with its secrets, and it is told of', async () => {
    const before = await stack.containers()
    const ran = await run(['--', 'up', '-d', '--force-recreate', 'web'])
    expect(ran).toMatchObject({ code: 0 })
    const after = await stack.containers()
    expect(recreatedBetween(before, after)).toEqual(['web'])
    expect(after['web']?.label).toBe(before['web']?.label)
    expect((await stack.environmentOf('web'))['TOKEN']).toBe(secret)
    const told = 'ann (as told by agent box) with "stagely compose up -d --force-recreate web"'
    await expect.poll(drifted).toMatchObject({
      status: 'False',
      reason: 'ByHand',
      message: expect.stringContaining(`${told} at `) as string,
    })
    expect((await drifted())?.message).toMatch(/exit code 0; touched: web$/)
    await eventually(() => eventsSaying(/--force-recreate web"/)).toEqual(['ComposedByHand'])
    // Nothing is healed after it.
    expect(recreatedBetween(after, await stack.containers())).toEqual([])
  })

  it('hides values in what Compose and containers print, and shows names only in config', async () => {
    const env = await run(['--', 'exec', 'web', 'env'])
    expect(env.stdout).toContain('TOKEN=***REDACTED***')
    const logs = await run(['--', 'run', '--rm', 'web', 'sh', '-c', 'echo $TOKEN; echo $TOKEN >&2'])
    expect(logs).toMatchObject({ code: 0 })
    expect(logs.stdout).toBe('***REDACTED***\n')
    expect(logs.stderr).toContain('***REDACTED***')
    const config = await run(['--', 'config'])
    expect(config.stdout).toContain("TOKEN: '***REDACTED***'")
    // Too short for the masker: it never gets there.
    expect(config.stdout).toContain("PIN: '***REDACTED***'")
    expect(config.stdout).toContain('dev.stagely.digest')
    expect(JSON.stringify([env, logs, config])).not.toContain(secret)
  })

  it('passes on the exit code, and detaches up with a word about it', async () => {
    expect((await run(['--', 'exec', 'web', 'sh', '-c', 'exit 7'])).code).toBe(7)
    const up = await run(['--', 'up', 'web'])
    expect(up.code).toBe(0)
    expect(up.stderr).toContain('up is always detached here')
  })

  it('finds the stagelet from a folder below, and by its name', async () => {
    const below = join(stack.directory, 'src')
    await mkdir(below)
    await stack.keepTree()
    expect((await run(['--', 'ps', '--services'], below)).stdout).toBe('db\nweb\n')
    const named = ['--stagelet', 'default/shop', '--', 'ps', '--services']
    expect((await run(named, '/')).stdout).toBe('db\nweb\n')
  })

  it('says what is there where no stagelet is, what is refused, and where no agent runs', async () => {
    const elsewhere = await run(['--', 'ps'], '/')
    expect(elsewhere.code).toBe(1)
    expect(elsewhere.stderr).toContain('no stagelet of this agent is in /; this agent runs:')
    expect(elsewhere.stderr).toContain(`default/shop  ${stack.directory}`)
    const before = await stack.containers()
    const refused = await run(['--', '-f', 'other.yml', 'up', '-d', '--force-recreate'])
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toContain('-f is refused: files, folder, project and profiles')
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
    const none = await run(['--agent-data-dir', '/nonexistent', '--', 'ps'])
    expect(none.stderr).toContain('no agent has /nonexistent/compose.sock: start the agent')
  })

  it('is for the agent’s user alone', async () => {
    const { mode, uid } = await stat(join(world.agentDir, 'compose.sock'))
    expect(mode & 0o7777).toBe(0o600)
    expect(uid).toBe(process.getuid?.())
  })

  it('ends Compose with whoever watches it', async () => {
    const child = start(['--', 'logs', '-f', 'web'])
    const composes = async (): Promise<string[]> => {
      const { stdout } = await runPs(world.agent.child.pid ?? 0)
      return stdout.split('\n').filter((line) => line.includes('logs -f web'))
    }
    await expect.poll(composes).not.toEqual([])
    child.kill('SIGINT')
    await once(child, 'close')
    await expect.poll(composes).toEqual([])
  })

  it('leaves no container of a run that is interrupted', async () => {
    // Compose passes SIGTERM on, and leaves what does not heed it at work.
    const job = 'trap "" TERM; echo begun; while :; do sleep 0.1; done'
    const child = start(['--', 'run', '--rm', 'web', 'sh', '-c', job])
    const labels = [`project=${stack.project}`, 'oneoff=True']
    const filters = labels.flatMap((l) => ['--filter', `label=com.docker.compose.${l}`])
    const oneOffs = (): Promise<string> => stack.docker('ps', '-aq', ...filters)
    await once(child.stdout, 'data')
    expect(await oneOffs()).not.toBe('')
    child.kill('SIGINT')
    await once(child, 'close')
    await expect.poll(oneOffs).toBe('')
  })

  it('names who stopped a service, which is healed, and who stopped all, which stays so', async () => {
    expect((await run(['--', 'stop', '-t', '1', 'web'])).code).toBe(0)
    const told =
      /web .* was stopped by hand.*, by ann \(as told by agent box\) with "stagely compose stop -t 1 web"/
    await expect.poll(async () => (await drifted())?.message).toMatch(told)
    await expect.poll(async () => (await drifted())?.reason).toBe('Healed')
    expect((await drifted())?.message).toMatch(told)
    await eventually(() => eventsSaying(told)).toEqual(
      expect.arrayContaining(['DriftFound', 'DriftHealed']),
    )
    expect((await run(['--', 'stop', '-t', '1'])).code).toBe(0)
    await expect.poll(async () => (await drifted())?.reason).toBe('StoppedByHand')
    expect((await drifted())?.message).toContain(
      'ann (as told by agent box) with "stagely compose stop -t 1"',
    )
    expect((await run(['--', 'up', '-d'])).code).toBe(0)
    expect((await stack.environmentOf('web'))['TOKEN']).toBe(secret)
    await expect.poll(async () => (await drifted())?.status).toBe('False')
  })

  it('takes the commands of the documents that need a machine', async () => {
    const env = { ...world.env(), SUDO_USER: 'ann' }
    const folder = join(world.dir, 'page')
    await mkdir(folder)
    const ofStack = { backend: 'web' }
    const there = `stagely compose --agent-data-dir ${world.agentDir} --stagelet shop`
    const own = { 'stagely compose': there }
    await runPage('day-two.md', { folder, env, part: 'stagely compose', names: own })
    await runPage('cli.md', { folder, env, part: 'stagely logs', names: ofStack })
    const agent = { 'web-1': 'box' }
    await runPage('operations.md', { folder, env, part: 'stagely agent drain', names: agent })
    const readme = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8')
    const [, manifest = ''] = /```yaml\n([^`]*)```/.exec(readme) ?? []
    await writeFile(join(folder, 'secrets.yaml'), manifest)
    const differs = { 'diff -f secrets.yaml': 'diff -f secrets.yaml || test $? = 1' }
    await runPage('../README.md', { folder, env, part: 'stagely diff', names: differs })
    const password = { STRIPE_SECRET_KEY: 'TOKEN', 'new-value': secret }
    await runPage('quickstart.md', { folder, env, part: 'printf new-value', names: password })
  })

  it('has said no value to anybody', async () => {
    expect(world.allOutput()).toContain('a person alters the stack')
    expect(world.allOutput()).not.toContain(secret)
    expect(await readFile(join(world.agentDir, 'state.json'), 'utf8')).not.toContain(secret)
    expect(await world.must('get', 'stagelets,events', '-o', 'yaml')).not.toContain(secret)
  })
})

/** Processes below this one, by `ps`. */
const runPs = async (parent: number): Promise<{ stdout: string }> => {
  const child = spawn('ps', ['-o', 'args=', '--ppid', String(parent)])
  let stdout = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  await once(child, 'close')
  return { stdout }
}
