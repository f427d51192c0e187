import { describe, expect, it } from 'vitest'
import { requestMacKeyOf } from '../../../../src/protocol/agent-request.ts'
import { RequestSessions } from './request-sessions.ts'

const bytes = Buffer.alloc(32)
const keys = { mac: requestMacKeyOf(bytes), request: bytes, answer: bytes }
const of = (agentUid: string) => ({ agentUid, ed25519: 'key', keys })

describe('a request for a stream that was held back', () => {
  it('is refused once a newer one of its session was taken', () => {
    const sessions = new RequestSessions()
    const session = sessions.begin(of('a'))
    expect(sessions.takeStream(session, 5)).toBe(true)
    expect(sessions.takeStream(session, 3)).toBe(false)
    expect(sessions.takeStream(session, 6)).toBe(true)
  })

  it('is refused once one of a newer session was taken, and concerns no other agent', () => {
    const sessions = new RequestSessions()
    const [older, other, newer] = [of('a'), of('b'), of('a')].map((one) => sessions.begin(one))
    expect(sessions.takeStream(newer!, 0)).toBe(true)
    expect(sessions.takeStream(older!, 900)).toBe(false)
    expect(sessions.takeStream(other!, 1)).toBe(true)
  })

  it('is taken where the agent has asked for none since, and is forgotten with its sessions', () => {
    const sessions = new RequestSessions()
    const [older, newer] = [sessions.begin(of('a')), sessions.begin(of('a'))]
    expect(sessions.takeStream(older, 4)).toBe(true)
    sessions.endAll('a')
    expect(sessions.find(newer.id)).toBeUndefined()
    expect(sessions.takeStream(newer, 1)).toBe(false)
  })
})
