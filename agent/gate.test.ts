import { describe, expect, it } from 'vitest'
import type { Clock } from '../src/kernel/clock.ts'
import type { ContainerDetails, Engine } from './docker/engine.ts'
import { runGate, type GateResult } from './gate.ts'

type Health = 'starting' | 'healthy' | 'unhealthy'
interface Look {
  readonly status?: string
  readonly exitCode?: number
  readonly restarts?: number
  readonly policy?: string
  readonly health?: Health
  readonly digest?: string
  readonly output?: string
  readonly logs?: string
}

const startMs = 1_700_000_000_000

/** Judges one container whose looks follow each other, the last one staying. */
const judge = async (looks: readonly Look[]): Promise<GateResult & { tookMs: number }> => {
  let nowMs = startMs
  let sample = -1
  const look = (): Look => looks[Math.min(sample, looks.length - 1)]!
  const clock: Clock = {
    now: () => nowMs,
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
    start: unused,
    mountSources: unused,
    events: unused,
    hasImage: unused,
    openLog: unused,
    listContainers: () => {
      sample++
      const Labels = {
        'com.docker.compose.service': 'web',
        'dev.stagely.digest': look().digest ?? 'new',
      }
      return Promise.resolve([
        { Id: 'id', Names: ['/p-web-1'], Labels, State: '', Status: '', Created: 0 },
      ])
    },
    inspect: () => {
      const { status = 'running', exitCode = 0, restarts = 0, policy = 'no', health } = look()
      const details: ContainerDetails = {
        Id: 'id',
        RestartCount: restarts,
        State: {
          Status: status,
          ExitCode: exitCode,
          Error: '',
          OOMKilled: false,
          StartedAt: new Date(startMs).toISOString(),
          ...(health === undefined
            ? {}
            : {
                Health: {
                  Status: health,
                  Log: [{ ExitCode: 1, Output: look().output ?? 'no hush here' }],
                },
              }),
        },
        Config: {
          Tty: false,
          Healthcheck: { Interval: 5e9, Timeout: 1e9, Retries: 3, StartPeriod: 70e9 },
        },
        HostConfig: { RestartPolicy: { Name: policy } },
      }
      return Promise.resolve(details)
    },
    logs: () => Promise.resolve(look().logs ?? 'one hush line\n'),
  }
  const deps = { engine, clock, mask: (text: string) => text.replaceAll('hush', '***') }
  const request = { project: 'p', wanted: new Map([['web', 'new']]) }
  const result = await runGate(deps, request, new AbortController().signal)
  return { ...result, tookMs: nowMs - startMs }
}

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
