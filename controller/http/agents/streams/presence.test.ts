import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { realClock } from '../../../../src/kernel/clock.ts'
import { silentLogger } from '../../../../src/kernel/log.ts'
import type { AgentStatus } from '../../../../src/kinds/agent/schema.ts'
import type { Condition } from '../../../../src/resources/conditions.ts'
import type { AgentRoutesDeps, Tuning } from '../deps.ts'
import { createPresence } from './presence.ts'

const uid = randomUUID()
const refused: Condition = {
  type: 'Refused',
  status: 'True',
  reason: 'ClockSkew',
  message: 'its clock',
  lastTransitionTime: '2026-01-01T00:00:00Z',
}

/** The types of the conditions of an agent that was refused, once its stream is written down. */
const written = async (isLeft: boolean): Promise<(string | undefined)[]> => {
  let status: AgentStatus = { conditions: [refused] }
  const metadata = { namespace: 'default', name: 'box', uid }
  const tx = {
    getFrozen: () => Promise.resolve({ kind: 'Agent', metadata, status }),
    setStatus: (agent: { status: AgentStatus }) => {
      status = agent.status
      return Promise.resolve()
    },
    recordEvent: () => Promise.resolve(),
  }
  const streams = { note: () => Promise.resolve(new Set([uid])) }
  const connections = {
    write: (_by: unknown, work: (...given: unknown[]) => unknown) => work(tx, streams),
  } as unknown as AgentRoutesDeps['connections']
  const presence = createPresence(
    { connections, clock: realClock, log: silentLogger },
    { graceMs: 60_000 } as Tuning,
    { isConnected: () => !isLeft, replaced: () => undefined },
  )
  const connection = randomUUID()
  const request = { version: '1', boot: 'a' } as Parameters<typeof presence.connected>[2]
  presence.connected('default/box', { agentUid: uid, aheadMs: 0, connection }, request)
  if (isLeft) presence.left('default/box', { agentUid: uid, connection })
  await presence.stop()
  return status.conditions?.map(({ type }) => type) ?? []
}

it('says of an agent with a stream no longer that it is refused', async () => {
  expect(await written(false)).toEqual(['Ready'])
})

it('keeps that an agent is refused where its stream is over before it is written down', async () => {
  expect((await written(true)).sort()).toEqual(['Ready', 'Refused'])
})
