import { toFineTimestamp } from '../../src/kernel/clock.ts'
import { describe, expect, it } from 'vitest'
import { aContainer } from '../../test/support/agents/a-container.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import type { ContainerDetails, Engine } from '../docker/engine.ts'
import { pausedAmong } from './gate-failure.ts'
import { runGate, type GateResult } from './gate.ts'

type Health = 'starting' | 'healthy' | 'unhealthy'
interface Look {
  readonly status?: string
  readonly exitCode?: number
  readonly restarts?: number
  readonly policy?: string
  readonly health?: Health
  /** Failed checks in a row; three make it unhealthy. */
  readonly streak?: number
  readonly digest?: string
  readonly output?: string
  readonly logs?: string
  readonly oomKilled?: boolean
}

const startMs = 1_700_000_000_000

/** Judges one container whose looks follow each other, the last one staying. */
const judge = async (
  looks: readonly Look[],
  /** How wrong the clock is at the samples of these numbers. */
  jumps: ReadonlyMap<number, number> = new Map(),
): Promise<GateResult & { tookMs: number }> => {
  let nowMs = startMs
  let sample = -1
  const nextLook = (): Look => looks[Math.min(sample, looks.length - 1)]!
  const clock: Clock = {
    now: () => nowMs + (jumps.get(sample) ?? 0),
    monotonic: () => nowMs,
    sleep: (ms) => {
      nowMs += ms
      return Promise.resolve()
    },
  }
  const unused = (): never => {
    throw new Error('the gate only looks')
  }
  const engine: Engine = {
    version: unused,
    remove: unused,
    rename: unused,
    listVolumes: unused,
    removeVolume: unused,
    writableMounts: unused,
    listNetworks: unused,
    projectsOfVolumes: unused,
    listAllContainers: unused,
    configOf: unused,
    listImages: unused,
    imageConfig: unused,
    start: unused,
    stop: unused,
    mountSources: unused,
    events: unused,
    pastEvents: unused,
    imageId: unused,
    openLog: unused,
    exec: unused,
    listContainers: () => {
      sample++
      const Labels = {
        'com.docker.compose.service': 'web',
        'dev.stagely.digest': nextLook().digest ?? 'new',
      }
      return Promise.resolve([
        { Id: 'id', Names: ['/p-web-1'], Labels, State: '', Status: '', Created: 0 },
      ])
    },
    inspect: () => {
      const { status = 'running', exitCode = 0, restarts = 0, policy = 'no', health } = nextLook()
      const details: ContainerDetails = {
        Id: 'id',
        RestartCount: restarts,
        State: {
          Status: status,
          ExitCode: exitCode,
          Error: '',
          OOMKilled: nextLook().oomKilled ?? false,
          StartedAt: toFineTimestamp(startMs),
          ...(health === undefined
            ? {}
            : {
                Health: {
                  Status: health,
                  FailingStreak: nextLook().streak ?? (health === 'unhealthy' ? 3 : 0),
                  Log: [{ ExitCode: 1, Output: nextLook().output ?? 'no hush here' }],
                },
              }),
        },
        Config: {
          Tty: false,
          Healthcheck: { Interval: 5e9, Timeout: 1e9, Retries: 3, StartPeriod: 70e9 },
        },
        HostConfig: { RestartPolicy: { Name: policy }, Memory: 32 * 2 ** 20 },
      }
      return Promise.resolve(details)
    },
    logs: () => Promise.resolve(nextLook().logs ?? 'one hush line\n'),
  }
  const deps = { engine, clock, mask: (text: string) => text.replaceAll('hush', '***') }
  const request = { project: 'p', wanted: new Map([['web', 'new']]) }
  const result = await runGate(deps, request, new AbortController().signal)
  return { ...result, tookMs: nowMs - startMs }
}

it('what others depend on is told of where it is paused, and only then', () => {
  const containers = [
    aContainer('db', 'd', { state: 'paused' }),
    aContainer('cache', 'd'),
    aContainer('web', 'd', { state: 'paused' }),
  ]
  expect(pausedAmong(containers, ['cache', 'db'])).toEqual([
    'it depends on db, whose container p-db-1 is paused; "docker unpause p-db-1" lets it go on',
  ])
})

describe('the gate', () => {
  it('passes what runs steadily for a second and a half', async () => {
    const result = await judge([{}])
    expect(result.passed).toEqual({ web: 'new' })
    expect(result.tookMs).toBe(1500)
  })

  it('passes a job that has done its work', async () => {
    expect((await judge([{}, { status: 'exited' }])).passed).toEqual({ web: 'new' })
  })

  it('waits for a health check, as long as its own settings take', async () => {
    const late = await judge([
      ...Array<Look>(300).fill({ health: 'starting' }),
      { health: 'healthy' },
    ])
    expect(late.passed).toEqual({ web: 'new' })
    const never = await judge([{ health: 'starting' }])
    expect(never.failure?.reason).toBe('TimedOut')
    // 70 s of start period, three rounds of 6 s, 10 s of slack.
    expect(never.tookMs).toBeGreaterThan(98_000)
    expect(never.tookMs).toBeLessThan(99_000)
  })

  it('takes its time, whatever is done to the clock', async () => {
    for (const ms of [-3_600_000, -45_000, 45_000, 3_600_000]) {
      const jumps = new Map([...Array(30).keys()].map((i) => [10 * i, ms]))
      const { failure, tookMs } = await judge([{ health: 'starting' }], jumps)
      expect(failure?.reason).toBe('TimedOut')
      expect(Math.round(tookMs / 1000)).toBe(98)
    }
  })

  it('waits for a paused container as long as for one that runs, and its health is unknown', async () => {
    const unknown = { health: 'unhealthy', streak: 1 } as const
    const paused = Array<Look>(200).fill({ status: 'paused', ...unknown })
    const goesOn = [...Array<Look>(300).fill(unknown), { health: 'healthy' } as const]
    expect((await judge([...paused, ...goesOn])).passed).toEqual({ web: 'new' })
    const { failure, tookMs } = await judge([{}, { status: 'paused', ...unknown }])
    expect(failure).toMatchObject({
      reason: 'Paused',
      message: expect.stringContaining(
        'container p-web-1 is paused; "docker unpause p-web-1"',
      ) as string,
    })
    expect(tookMs).toBeGreaterThan(98_000)
    expect(tookMs).toBeLessThan(99_000)
  })

  it.each<[string, readonly Look[], string]>([
    ['that is unhealthy', [{ health: 'starting' }, { health: 'unhealthy' }], 'Unhealthy'],
    ['that exits with a fault', [{}, { status: 'exited', exitCode: 3 }], 'Exited'],
    [
      'that is stopped although it should always run',
      [{ status: 'exited', policy: 'always' }],
      'Exited',
    ],
    ['that keeps crashing', [{ restarts: 7 }, { restarts: 8 }, { restarts: 10 }], 'CrashLoop'],
    ['that waits for its next crash', [{ status: 'restarting', restarts: 9 }], 'CrashLoop'],
    ['that carries another digest', [{ digest: 'old' }], 'LabelMismatch'],
  ])('fails a container %s', async (_what, looks, reason) => {
    const { failure, passed, tookMs } = await judge(looks)
    expect(failure?.reason).toBe(reason)
    expect(failure?.message).not.toContain('hush')
    expect(passed).toEqual({})
    expect(tookMs).toBeLessThan(3000)
  })

  it.each<[string, readonly Look[], string]>([
    [
      'that ended',
      [{ status: 'exited', exitCode: 3, restarts: 1, policy: 'on-failure' }],
      'exited with code 3 (1 restart)\nlast',
    ],
    [
      'that keeps crashing and just runs again, with its last end',
      [{}, { status: 'restarting', exitCode: 7, restarts: 2 }, { restarts: 3 }],
      'keeps crashing (3 restarts, last exit code 7)\nlast',
    ],
    [
      'that is unhealthy, with what its check says',
      [{ health: 'unhealthy', output: 'refused' }],
      'is unhealthy (0 restarts)\nhealth check: refused\nlast',
    ],
    [
      'that does not get healthy in time, with what its check says',
      [{ health: 'starting', output: 'not yet' }],
      'was not ready in time (state running, health starting, 0 restarts)\nhealth check: not yet\nlast',
    ],
    [
      'that ran out of memory',
      [{ status: 'exited', exitCode: 137, oomKilled: true }],
      'exited with code 137 (0 restarts, out of memory with a limit of 32 MiB)\nlast',
    ],
    [
      'that keeps running out of memory and just runs again',
      [{}, { status: 'restarting', exitCode: 137, restarts: 3, oomKilled: true }, { restarts: 3 }],
      'keeps crashing (3 restarts, last exit code 137, out of memory with a limit of 32 MiB)\nlast',
    ],
  ])('tells of a container %s', async (_what, looks, said) => {
    const { failure } = await judge(looks)
    expect(failure?.message).toContain(`service web: container p-web-1 ${said} log lines:`)
  })

  it('masks before it cuts, and shows no piece of a secret that the engine has cut', async () => {
    const secret = 'hush'.repeat(2000)
    const last = (looks: Look): Promise<string | undefined> =>
      judge([{ health: 'unhealthy', ...looks }]).then((r) => r.failure?.message)
    expect(await last({ logs: `a ${secret} b\n` })).toMatch(/last log lines:\n[*]+ b$/)
    expect(await last({ output: `a ${secret}` })).not.toContain('hush')
    const cut = await last({ output: `first\n${'x'.repeat(4090)}hus` })
    expect(cut).toContain('first')
    expect(cut).not.toContain('hus')
    const lines = await last({ logs: `${'line\n'.repeat(50)}end\n` })
    expect(lines?.split('\n').filter((l) => l === 'line')).toHaveLength(19)
  })

  it('does not take a crash before its time for a loop, but begins to count anew', async () => {
    const result = await judge([{ restarts: 5 }, { restarts: 6 }, { restarts: 6 }])
    expect(result.passed).toEqual({ web: 'new' })
  })
})
