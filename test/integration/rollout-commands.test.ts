// `stagely rollout` on two real stacks of one project, whose service breaks with a bad value.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { realClock } from '../../src/kernel/clock.ts'
import { agentHereAfter } from '../support/agents/agent-here.ts'
import { controllerHere } from '../support/programs/controller-here.ts'
import { freshDatabase } from '../support/databases/fresh-database.ts'
import { startWorld, type Ran, type World } from '../support/programs/processes.ts'
import { projectYaml, secretYaml, stageletYaml } from '../support/shop.ts'
import {
  createStack,
  recreatedBetween,
  onHost,
  testImage,
  type Stack,
} from '../support/docker/stack.ts'

const compose = `services:
  web:
    image: ${testImage}
${onHost('web')}    init: true
    command: ["sh", "-c", "case $$CONFIG in good*) exec sleep 1000;; esac; echo cannot parse $$CONFIG; exit 7"]
`

describe('stagely rollout', () => {
  let world: World
  const stacks: Stack[] = []
  let manifests: string

  /** A command right after a write looks before the write counts: the time of a start is between. */
  const cli = async (...args: string[]): Promise<Ran> => {
    await realClock.sleep(400)
    return world.cli(...args)
  }
  const rollout = (...args: string[]): Promise<Ran> => cli('rollout', ...args)
  const setValue = (value: string): Promise<void> => world.patchSecret('shop-config.web', value)
  const values = (): Promise<(string | undefined)[]> =>
    Promise.all(stacks.map((stack) => stack.environmentOf('web').then((e) => e['CONFIG'], String)))
  const theirs = (value: string): Promise<void> =>
    writeFile(
      join(manifests, 'theirs.yaml'),
      projectYaml('theirs') + secretYaml('THEIRS', value, 'global', 'theirs'),
    )

  beforeAll(async () => {
    stacks.push(await createStack(compose), await createStack(compose))
    manifests = await mkdtemp(join(tmpdir(), 'stagely-manifests-'))
    await theirs('first value')
    world = await startWorld({
      controllerBy: controllerHere,
      agentBy: agentHereAfter(1),
      database: await freshDatabase(),
      controllerArgs: ['--manifests', manifests],
    })
    const stagelets = stacks.map((stack, i) =>
      stageletYaml(stack.directory, stack.project).replace(
        'metadata: {name: shop}',
        `metadata: {name: ${['one', 'two'][i]}}`,
      ),
    )
    const secret = secretYaml('CONFIG', 'good one', 'web')
    const applied = await world.apply(projectYaml() + secret + stagelets.join(''))
    expect(applied).toMatchObject({ code: 0 })
  })
  afterAll(async () => {
    await world?.stop()
    for (const stack of stacks) await stack.remove()
    await rm(manifests, { recursive: true, force: true })
  })

  it('status waits for the end, says how far it is, and ends with 0', async () => {
    const all = await rollout('status', 'shop')
    expect(all).toMatchObject({ code: 0, stderr: '' })
    expect(all.stdout).toMatch(/Waiting for rollout of project "shop" to finish: \d of 2/)
    expect(all.stdout).toContain(
      'project "shop" successfully rolled out: revision 1, healthy on 2 stagelets',
    )
    expect(await values()).toEqual(['good one', 'good one'])
    const one = await rollout('status', 'stagelet', 'one')
    expect(one).toMatchObject({
      code: 0,
      stdout: 'stagelet "one" successfully rolled out: revision 1\n',
    })
  })

  it('status and wait do not call done what a killed agent does not see, until it is back and has looked', async () => {
    const inSync = async (): Promise<string> => {
      const { status } = (await world.read('stagelets/two')) as {
        status: { conditions: { type: string; status: string; reason: string }[] }
      }
      const found = status.conditions.find(({ type }) => type === 'SecretsInSync')
      return `${found?.status}/${found?.reason}`
    }
    await world.agent.kill('SIGKILL')
    await stacks[1]!.docker('rm', '--force', (await stacks[1]!.containers())['web']!.id)
    await expect.poll(inSync).toBe('Unknown/AgentAway')
    const waited = await cli(
      ...['wait', '--for=condition=SecretsInSync', 'stagelet/two', '--timeout', '2s'],
    )
    expect([waited.code, waited.stderr]).toEqual([1, expect.stringContaining('AgentAway')])
    const status = await rollout('status', 'shop', '--timeout', '2s')
    expect([status.code, status.stdout.includes('successfully')]).toEqual([1, false])
    await world.startAgent()
    await expect.poll(inSync).toBe('True/InSync')
    expect(await values()).toEqual(['good one', 'good one'])
    expect(await rollout('status', 'shop')).toMatchObject({ code: 0 })
  })

  it('status ends with 1 where the rollout stops at a failure, and says why and what helps', async () => {
    await world.patch('projects/shop', { spec: { rollout: { maxConcurrent: 1 } } })
    const before = await stacks[1]!.containers()
    await setValue('bad value two')
    const ran = await rollout('status', 'project/shop', '--timeout', '90s')
    expect(ran.code).toBe(1)
    expect(ran.stderr).toMatch(
      /^error: rollout of project "shop" stopped: stagelet "one" stops it; .*exited with code 7/,
    )
    expect(ran.stderr).toContain('stagely rollout undo project/shop')
    expect(ran.stdout + ran.stderr).not.toContain('bad value two')
    const one = await rollout('status', 'stagelet/one')
    expect([one.code, one.stderr.includes('cannot parse ***REDACTED***')]).toEqual([1, true])
    expect(recreatedBetween(before, await stacks[1]!.containers())).toEqual([])
  })

  it('retry tries the failed one again, and it fails again', async () => {
    const tried = await rollout('retry', 'shop', '--wait', '--timeout', '90s')
    expect([tried.code, tried.stdout, tried.stderr]).toEqual([
      1,
      'stagelet.stagely.dev/one retried\n',
      expect.stringMatching(/stagelet\/one: (RolledBack|RolloutFailed): [^]*exited with code 7/),
    ])
    expect(tried.stderr).not.toContain('timed out')
    // It is told as failed before it is back.
    const runs = async (): Promise<unknown> =>
      ((await world.read('stagelets/one')) as { status: { runningRevision?: number } }).status
        .runningRevision
    await expect.poll(runs).toBe(1)
    expect(await world.must('describe', 'stagelet', 'one')).not.toContain('DriftFound')
  })

  it('history shows who changed which keys when, and what runs where', async () => {
    const listed = JSON.parse(
      await world.must('rollout', 'history', 'shop', '-o', 'json'),
    ) as object
    expect(listed).toMatchObject([
      { revision: 2, keys: ['CONFIG'], by: ['admin'], runs: [] },
      { revision: 1, keys: ['CONFIG'], by: ['admin'], runs: ['one', 'two'] },
    ])
    const table = await world.must('rollout', 'history', 'stagelet/two')
    expect(table).toMatch(/^REVISION +CLOSED +BY +KEYS +RUNS ON +NOTE\n2 +20.* admin +CONFIG\n1 /)
    const second = await world.must('rollout', 'history', 'shop', '--revision', '2')
    expect(second).toBe('Revision 2:\n~ CONFIG (web)  value: version 1 -> 2\n')
  })

  it('undo brings the values of the revision before, and of any other', async () => {
    const dry = await rollout('undo', 'shop', '--dry-run')
    expect([dry.code, dry.stdout.includes('~ CONFIG (web)')]).toEqual([0, true])
    const undone = await rollout('undo', 'shop', '--yes', '--wait=90s')
    expect(undone.stdout).toContain('project.stagely.dev/shop rolled back to revision 1\n')
    for (const name of ['one', 'two'])
      expect([undone.code, undone.stdout]).toEqual([
        0,
        expect.stringContaining(`stagelet.stagely.dev/${name} in sync\n`),
      ])
    expect(await values()).toEqual(['good one', 'good one'])
    const again = await rollout('undo', 'shop', '--to-revision', '1', '--yes')
    expect(again.stdout).toContain('skipped rollback to revision 1')
    const missing = await rollout('undo', 'shop', '--to-revision', '99')
    expect([missing.code, missing.stderr.includes('99')]).toEqual([1, true])
    const wrong = await rollout('undo', 'stagelet/one')
    expect([wrong.code, wrong.stderr.includes('rollout undo project/shop')]).toEqual([2, true])
  })

  it('pause keeps a revision from everybody, and resume lets it go', async () => {
    expect((await rollout('pause', 'shop')).stdout).toBe('project.stagely.dev/shop paused\n')
    expect(await rollout('pause', 'shop')).toMatchObject({ code: 1 })
    await setValue('good three')
    const held = await rollout('status', 'shop')
    expect([held.code, held.stderr]).toEqual([1, expect.stringMatching(/is paused.*resume/)])
    const waits = ['wait', '--for=condition=SecretsInSync', 'stagelet/one', '--timeout', '90s']
    const waited = await cli(...waits)
    expect([waited.code, waited.stderr]).toEqual([1, expect.stringContaining('RolloutPaused')])
    const now = await rollout('status', 'shop', '--watch=false')
    expect(now.stdout).toMatch(/is paused.*2 waiting/)
    expect(now.code).toBe(0)
    expect(await values()).toEqual(['good one', 'good one'])
    expect((await rollout('resume', 'shop')).stdout).toBe('project.stagely.dev/shop resumed\n')
    expect((await rollout('status', 'shop', '--timeout', '90s')).code).toBe(0)
    expect(await values()).toEqual(['good three', 'good three'])
  })

  it('leaves one stagelet out while that is paused, and without turns too', async () => {
    await world.patch('projects/shop', { spec: { rollout: null } })
    expect((await rollout('pause', 'stagelet/two')).code).toBe(0)
    await setValue('good four')
    const status = await rollout('status', 'shop', '--timeout', '90s')
    expect([status.code, status.stdout]).toEqual([
      0,
      expect.stringMatching(/healthy on 1 stagelet\n1 stagelet left out/),
    ])
    expect(await values()).toEqual(['good four', 'good three'])
    expect((await rollout('resume', 'stagelet/two')).code).toBe(0)
    expect((await rollout('status', 'stagelet/two', '--timeout', '90s')).code).toBe(0)
    expect(await values()).toEqual(['good four', 'good four'])
  })

  it('that is rolled back everywhere ends each wait for it, with the service and its last line', async () => {
    const known = expect.stringMatching(
      /rolled back to revision [^]*web[^]*exited with code 7[^]*cannot parse \*\*\*REDACTED/,
    ) as unknown
    const set = await world.cliWith(
      'bad value five',
      ...['secrets', 'set', 'CONFIG', '--scope', 'web', '--project', 'shop', '--wait=5m'],
    )
    expect([set.code, set.stderr]).toEqual([1, known])
    const status = await rollout('status', 'shop')
    expect([status.code, status.stderr]).toEqual([1, known])
    const waited = await cli(
      ...['wait', '--for=condition=Ready', 'stagelet/two', '--timeout', '5m'],
    )
    expect([waited.code, waited.stderr]).toEqual([1, known])
    const mended = await world.cliWith(
      'good five',
      ...['secrets', 'set', 'CONFIG', '--scope', 'web', '--project', 'shop', '--wait=5m'],
    )
    expect(mended).toMatchObject({ code: 0 })
    expect(await values()).toEqual(['good five', 'good five'])
  })

  it('slo tells how fast revisions were proven, and leaves out what waited or failed', async () => {
    const ran = await cli('admin', 'slo', '--project', 'shop', '-o', 'json')
    const slo = JSON.parse(ran.stdout) as {
      is_met: boolean
      proven: number
      stages: { stage: string; max_ms: number }[]
      left_out: { because: string; count: number }[]
    }
    expect(ran.code).toBe(slo.is_met ? 0 : 1)
    expect(slo.proven).toBeGreaterThan(0)
    expect(slo.stages.map(({ stage }) => stage)).toEqual([
      ...['told', 'started', 'healthy', 'proven', 'total'],
    ])
    expect(slo.stages.every(({ max_ms: ms }) => ms >= 0 && ms < 120_000)).toBe(true)
    const left = new Map(slo.left_out.map(({ because, count }) => [because, count]))
    expect([left.get('FirstRollout'), left.get('Paused')]).toEqual([2, 1])
    expect(left.get('AwaitingTurn')).toBeGreaterThanOrEqual(1)
    expect(left.get('RolledBack')).toBeGreaterThanOrEqual(2)
    const text = await cli('admin', 'slo', '--project', 'shop', '--since', '1h')
    expect(text.stdout).toMatch(/^OBJECTIVE .*\n(?:.*\n)*left out: .*FirstRollout 2/)
    const { text: metrics } = await world.page('/metrics')
    const proven = /^stagely_propagation_total\{project="default\/shop",result="Proven".*\} (\d+)$/m
    expect(Number(proven.exec(metrics)?.[1])).toBe(slo.proven)
    const seen = /^stagely_propagation_seconds_count\{.*stage="proven".*\} (\d+)$/m
    expect(Number(seen.exec(metrics)?.[1])).toBe(slo.proven)
  })

  it('refuses to steer what a folder owns, and names it', async () => {
    await theirs('second value')
    await expect
      .poll(
        async () =>
          JSON.parse(await world.must('rollout', 'history', 'theirs', '-o', 'json')) as unknown[],
      )
      .toHaveLength(2)
    for (const args of [['pause'], ['undo', '--yes']]) {
      const ran = await rollout(...args, 'theirs')
      expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining(`folder:${manifests}`)])
    }
  })

  it('asks for what it can know, and says what else', async () => {
    const unknown = await rollout('status', 'one')
    expect([unknown.code, unknown.stderr]).toEqual([
      1,
      expect.stringContaining('did you mean stagelet/one?'),
    ])
    expect((await rollout('status', 'agent/box')).code).toBe(2)
    expect((await rollout('history', 'nothing')).code).toBe(1)
  })
})
