// Services that wait for others to be healthy, or done: in order, and taken back where those break.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { realClock } from '../../src/kernel/clock.ts'
import type { ReportedStagelet } from '../../src/protocol/messages.ts'
import { desiredFor, held, startMachine, type Machine } from '../support/docker/docker.ts'
import { newerCompose } from '../support/docker/newer-compose.ts'
import { soak } from '../support/soak.ts'
import {
  createStack,
  idleService,
  inspectProject,
  recreatedBetween,
  onHost,
  testImage,
  type Container,
  type Stack,
} from '../support/docker/stack.ts'

/** `db` gets healthy after a second, `migrate` takes three, so that a busy agent sees it at work; both look at what they were given. */
const compose = `services:
  db:
    image: ${testImage}
${onHost('db')}    init: true
    restart: always
    command: ["sh", "-c", "case $$VALUE in *no-start*) exit 5;; esac; sleep 1; touch /ready; exec sleep 1000"]
    healthcheck:
      test: ["CMD-SHELL", "case $$VALUE in *no-db*) echo db cannot use it; exit 1;; esac; test -e /ready"]
      start_interval: 300ms
      start_period: 2s
      interval: 2s
      retries: 1
  migrate:
    image: ${testImage}
${onHost('migrate')}    init: true
    command: ["sh", "-c", "sleep 3; case $$VALUE in *no-job*) echo job cannot use it; exit 4;; esac"]
    depends_on: {db: {condition: service_healthy}}
${idleService('web', '    depends_on: {db: {condition: service_healthy}, migrate: {condition: service_completed_successfully}}\n')}`

/** End of the first health check that passed, read from the engine while the service starts. */
const firstPassed = async (stack: Stack, service: string): Promise<string> => {
  for (;;) {
    const container = (await inspectProject(stack.project)).find(
      ({ Config }) => Config.Labels['com.docker.compose.service'] === service,
    )
    const checks = container?.State.Health?.Log ?? []
    const passed = checks.find(({ ExitCode: code }) => code === 0)
    if (passed !== undefined) return passed.End
    await realClock.sleep(50)
  }
}

/** With one Compose all ways to break, with the other one of each kind but in the long form. */
const versions: [version: string, binary: () => Promise<string | undefined>, ways: number][] = [
  ['this machine’s Compose', () => Promise.resolve(undefined), 3],
  ['a newer Compose', newerCompose, soak(1, 3)],
]
const value = (text: string) => [held('VALUE', text)]

describe.each(versions)('services with conditions, by %s', (_version, binaryOf, ways) => {
  let stack: Stack
  let machine: Machine
  let before: Record<string, Container>
  let revision = 2
  let healthyAt = ''

  beforeAll(async () => {
    const composeBinary = await binaryOf()
    stack = await createStack(compose)
    machine = await startMachine(stack, composeBinary === undefined ? {} : { composeBinary })
    const passed = firstPassed(stack, 'db')
    await machine.roll(value('zeroth'))
    healthyAt = await passed
  })
  beforeEach(async () => {
    before = await stack.containers()
  })
  afterAll(async () => {
    await machine?.stop()
    await stack?.remove()
  })

  it('tells when the health check of a container first passed, as the engine says', () => {
    const { startedAt } = before['db']!
    const told = machine.reports.at(-1)!.services.find(({ name }) => name === 'db')
    expect(told?.since).toBe(startedAt)
    const apartMs = Date.parse(told?.healthySince ?? '') - Date.parse(healthyAt)
    expect(Math.abs(apartMs)).toBeLessThan(100)
  })

  /** Wants a value at a new revision, with the second one to go back to, until that runs again. */
  const breakWith = async (text: string, tweak = {}): Promise<ReportedStagelet> => {
    const desired = desiredFor(stack, { revision: ++revision, healthyRevision: 2, ...tweak })
    machine.loop.setDesired(desired, value(text), value('first'))
    const isBack = (r: ReportedStagelet): boolean =>
      r.phase === 'Settled' && r.quarantine?.at(-1)?.revision === revision
    const from = machine.reports.length
    const report = await machine.until(isBack)
    // It is told what broke, and not only that Compose gave up.
    const told = machine.reports.slice(from).map((r) => r.rollout?.message ?? '')
    expect(told.filter((message) => message.includes('docker compose up'))).toEqual([])
    expect(report).toMatchObject({ revision: 2, rollout: { result: 'RolledBack' } })
    return report
  }

  it('are started only when what they wait for is healthy, or done', async () => {
    const since = Date.now() / 1000
    const from = machine.reports.length
    await machine.roll(value('first'))
    const events = await stack.eventsSince(since, ['start', 'health_status', 'die'])
    const news = events.filter((e) => !Object.values(before).some((c) => c.id === e.id))
    expect(news.map((e) => `${e.service} ${e.action}`)).toEqual([
      'db start',
      'db health_status: healthy',
      'migrate start',
      'migrate die',
      'web start',
    ])
    expect(recreatedBetween(before, await stack.containers())).toEqual(['db', 'migrate', 'web'])
    // The rollout is over once, and only when all of it is.
    const told = machine.reports.slice(from).map((r) => r.rollout)
    const healthy = told.findIndex((r) => r?.revision === 2 && r.result === 'Healthy')
    expect(told.slice(healthy).every((r) => r?.result === 'Healthy')).toBe(true)
    expect(told[healthy]?.recreated).toEqual(['db', 'migrate', 'web'])
    const waited = machine.reports.flatMap((r) => r.waitingFor ?? [])
    expect(waited).toContain('db: health check starting')
    expect(waited).toContain('migrate: not done yet')
  })

  const breaking: [how: string, text: string, service: string, said: RegExp][] = [
    ['makes unhealthy', 'no-db', 'db', /is unhealthy[^]*health check: db cannot use it/],
    ['crashes', 'no-start', 'db', /keeps crashing \(\d+ restarts, last exit code 5\)/],
    ['breaks', 'no-job', 'migrate', /exited with code 4[^]*job cannot use it/],
  ]
  it.each(breaking.slice(0, ways))(
    'are not touched by a value that %s what they wait for',
    async (_how, text, service, said) => {
      const report = await breakWith(text)
      expect(report.quarantine?.at(-1)?.service).toBe(service)
      expect(report.rollout?.message).toMatch(said)
      const after = await stack.containers()
      expect(after['web']).toEqual(before['web'])
      expect((await stack.environmentOf('db'))['VALUE']).toBe('first')
    },
  )

  const breakingAll: [service: string, text: string][] = [
    ['migrate', 'no-job-either'],
    ['db', 'no-db-either'],
    ['db', 'no-start-either'],
  ]
  it.each(breakingAll.slice(0, ways))(
    'are taken back where a deploy of all brings a value that breaks %s',
    async (service, text) => {
      const report = await breakWith(text, { redeploy: text })
      expect(report.quarantine?.at(-1)?.service).toBe(service)
      // Nothing waits for the job, which may be at work.
      const running = report.services
        .filter((s) => s.state === 'running' && s.name !== 'migrate')
        .map((s) => s.name)
      expect(running).toEqual(['db', 'web'])
      for (const name of running) expect((await stack.environmentOf(name))['VALUE']).toBe('first')
    },
  )
})
