import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import type { StoreHealth } from '../../src/store/store.ts'
import type { AppEnv } from './env.ts'
import type { Fleet } from './agents/objects/fleet.ts'
import { mountHealth } from './health.ts'

const ask = async (
  path: string,
  health: StoreHealth = { ok: true },
  stopping = new AbortController().signal,
  more: Partial<Parameters<typeof mountHealth>[1]> = {},
): Promise<[number, string]> => {
  const app = new Hono<AppEnv>()
  mountHealth(app, { store: { health: () => Promise.resolve(health) }, stopping, ...more })
  const answer = await app.request(path)
  return [answer.status, await answer.text()]
}

describe('a probe with ?verbose', () => {
  it('names each of its checks', async () => {
    expect(await ask('/readyz?verbose')).toEqual([
      200,
      '[+]ping ok\n[+]shutdown ok\n[+]database ok\n[+]writes ok\n[+]key-provider ok\nreadyz check passed\n',
    ])
    expect(await ask('/livez?verbose')).toEqual([200, '[+]ping ok\nlivez check passed\n'])
  })

  it('says what failed and why, and of what comes after that nobody looked', async () => {
    const health = { ok: false, failed: 'database', reason: 'it does not answer' } as const
    const [status, text] = await ask('/readyz?verbose', health)
    expect(status).toBe(503)
    expect(text).toContain(
      '[-]database failed: it does not answer\n[-]writes not checked\n[-]key-provider not checked\n',
    )
    expect(text).toMatch(/readyz check failed\n$/)
    expect(await ask('/readyz', health)).toEqual([503, 'not ready: it does not answer'])
  })

  it('leaves out what is excluded, and says so', async () => {
    const health = { ok: false, failed: 'key-provider', reason: 'gone' } as const
    const [status, text] = await ask('/readyz?verbose&exclude=key-provider', health)
    expect([status, text]).toEqual([200, expect.stringContaining('[+]key-provider excluded')])
    expect(await ask('/readyz?exclude=key-provider', health)).toEqual([200, 'ok'])
    const stuck = { ok: false, failed: 'writes', reason: 'a write waits for 12 s' } as const
    expect(await ask('/readyz', stuck)).toEqual([503, 'not ready: a write waits for 12 s'])
    expect(await ask('/readyz?exclude=writes', stuck)).toEqual([200, 'ok'])
    expect((await ask('/readyz?verbose', stuck))[1]).toContain(
      '[-]writes failed: a write waits for 12 s\n[-]key-provider not checked',
    )
  })

  it('warns of a clock that is not the database’s', async () => {
    const fleet = (): Fleet =>
      ({ agents: { True: 3 }, refused: { ClockSkew: 0 } }) as unknown as Fleet
    const clockLine = async (clockAheadMs: number): Promise<string> => {
      const health = { ok: true, clockAheadMs }
      const [status, text] = await ask('/readyz?verbose', health, undefined, { fleet })
      expect(status).toBe(200)
      return text.split('\n').find((line) => line.includes('clock')) ?? ''
    }
    expect(await clockLine(-4_000)).toBe('[+]clock ok')
    expect(await clockLine(180_000)).toMatch(
      /^\[!\]clock warning: .* is 180 s ahead of the database’s/,
    )
    expect(await clockLine(-30_000)).toMatch(
      /^\[!\]clock warning: .* is 30 s behind the database’s/,
    )
  })

  it('suspects its own clock where it refuses most agents for theirs', async () => {
    const clockLine = async (connected: number, refused: number): Promise<string> => {
      const counts = { agents: { True: connected, False: 0, Unknown: refused } }
      const fleet = { ...counts, refused: { ClockSkew: refused, Protocol: 0 } } as Fleet
      const [status, text] = await ask('/readyz?verbose', undefined, undefined, {
        fleet: () => fleet,
      })
      expect(status).toBe(200)
      return text.split('\n').find((line) => line.includes('clock')) ?? ''
    }
    expect(await clockLine(0, 1)).toBe('[+]clock ok')
    expect(await clockLine(3, 3)).toBe('[+]clock ok')
    expect(await clockLine(2, 3)).toMatch(/^\[!\]clock warning: 3 agents .* own clock is right/)
  })

  it('says that another controller has namespaces of the cluster, and names none', async () => {
    const claims = async (count: number | undefined): Promise<[number, string]> => {
      const [status, text] = await ask('/readyz?verbose', undefined, undefined, {
        claimedByOthers: () => count,
      })
      return [status, text.split('\n').find((line) => line.includes('cluster-claims')) ?? '']
    }
    expect(await claims(0)).toEqual([200, '[+]cluster-claims ok'])
    expect(await claims(undefined)).toEqual([
      200,
      '[+]cluster-claims ok: another replica follows the cluster',
    ])
    // The API serves all the same.
    expect(await claims(2)).toEqual([
      200,
      expect.stringMatching(/^\[!\]cluster-claims warning: 2 namespaces are claimed by another/),
    ])
  })

  it('fails while the controller stops', async () => {
    const [status, text] = await ask('/readyz?verbose', { ok: true }, AbortSignal.abort())
    expect([status, text]).toEqual([503, expect.stringContaining('[-]shutdown failed')])
    expect(await ask('/readyz', { ok: true }, AbortSignal.abort())).toEqual([503, 'stopping'])
  })
})
