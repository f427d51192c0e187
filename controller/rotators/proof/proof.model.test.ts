// A model of the end of a rotation: whatever services and clients do, the old credential ends only when everything has
// run well without an interruption, and nobody was seen with it.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { aStagelet, anEntry } from '../../../test/support/builders.ts'
import { toTimestamp, toFineTimestamp } from '../../../src/kernel/clock.ts'
import type { RotationSpec, RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import type { ProjectInput, SecretObject } from '../../reconcilers/project/gather.ts'
import { decideRotation } from '../machine/decide.ts'
import type { RotationFacts } from '../machine/facts.ts'
import { mostRestarts, proofOf, settledMs } from './proof.ts'
import { afterLook } from '../machine/old-use.ts'

const begin = Date.parse('2026-03-02T12:00:00Z')
const minute = 60_000
const names = ['web', 'worker']

interface Service {
  since: number
  restarts: number
  containers: number
  state: string
  health: string
}
type Change = Partial<Service> | 'crash' | 'recreate'
type Event =
  | { readonly service: number; readonly change: Change }
  | { readonly sessions: number }
  | { readonly wait: number }

const change: fc.Arbitrary<Change> = fc.constantFrom<Change[]>(
  ...(['crash', 'crash', 'recreate'] as const),
  ...[{ containers: 3 }, { containers: 1 }, { state: 'paused' }, { state: 'exited' }],
  ...[{ state: 'running' }, { health: 'unhealthy' }, { health: 'healthy' }, { health: 'starting' }],
)
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ service: fc.nat(1), change }) },
  { weight: 1, arbitrary: fc.record({ sessions: fc.constantFrom(0, 0, 1) }) },
  { weight: 4, arbitrary: fc.record({ wait: fc.constantFrom(5_000, 20_000, 61_000, 700_000) }) },
)

const meta = { apiVersion: 'stagely.dev/v1alpha1' }
const output: SecretObject = {
  ...meta,
  kind: 'StagelySecret',
  metadata: { name: 'db', namespace: 'default', uid: 'id-DB' },
  spec: { projectRef: { name: 'shop' }, key: 'DB', scope: 'global', type: 'env' },
  status: { version: 2 },
}
const entries = [anEntry({ secretId: 'id-DB', key: 'DB', version: 2, scope: 'global' })]
const set = { projectUid: 'p', epoch: 1, revision: 2, entries }
const spec = {
  projectRef: { name: 'shop' },
  outputs: { password: 'db' },
  rotator: {},
  overlap: '2m',
  away: 'Wait',
} as RotationSpec

class World {
  now = begin
  sessions = 0
  seenAt = 0
  readonly services: Service[] = names.map(() => ({
    since: begin,
    restarts: 0,
    containers: 1,
    state: 'running',
    health: 'healthy',
  }))
  status: RotationStatus = {
    phase: 'Proving',
    attempt: 2,
    hasOld: true,
    step: 'Switch',
    illBefore: [],
    revision: 2,
    phaseSince: toTimestamp(begin),
    provingSince: toTimestamp(begin),
  }
  end: 'revoked' | 'back' | undefined

  constructor(skipsOverlap: boolean) {
    if (skipsOverlap) this.status = { ...this.status, now: true }
  }
  happen(one: Event): void {
    if ('wait' in one) this.now += one.wait
    else if ('sessions' in one) this.sessions = one.sessions
    else {
      const service = this.services[one.service]!
      const isStart = typeof one.change === 'string' || 'containers' in one.change
      if (one.change === 'crash') service.restarts += 1
      else if (one.change === 'recreate') service.restarts = 0
      else Object.assign(service, one.change)
      if (isStart) service.since = this.now
    }
  }
  facts(): RotationFacts {
    const services = this.services.map(({ since, ...one }, i) => ({
      ...one,
      name: names[i]!,
      revision: 2,
      since: toFineTimestamp(since),
    }))
    const input: ProjectInput = {
      now: toTimestamp(this.now),
      project: { ...meta, kind: 'Project', metadata: { name: 'shop', namespace: 'default' } },
      revisions: { epoch: 1, closed: 2, closesAt: undefined, quietAt: 0 },
      head: set,
      secrets: [output],
      runningSets: new Map([[2, set]]),
      stagelets: [aStagelet({ status: { services, healthyRevision: 2, conditions: [] } })],
    }
    return {
      nowMs: this.now,
      uid: 'u',
      createdMs: begin,
      faults: [],
      hasProject: true,
      away: [],
      hasValues: true,
      changed: [],
      steps: ['Switch'],
      busy: undefined,
      proof: proofOf(input, [output], { revision: 2 }),
    }
  }
  look(): void {
    for (let turn = 0; turn < 10 && this.end === undefined; turn += 1) {
      const facts = this.facts()
      const next = decideRotation(spec, this.status, facts)
      if (next.do !== 'effect') this.status = next.status
      else if (next.effect === 'checkUse') {
        if (this.sessions > 0) this.seenAt = this.now
        const looked = afterLook(
          spec,
          this.status,
          { ...facts, random: 0.5 },
          { sessions: this.sessions, from: [] },
        )
        this.status = looked.status
      } else this.end = next.effect === 'beginRevoke' ? 'revoked' : 'back'
      if (next.do === 'wait') return
    }
  }
}

it('ends an old credential only on proof, and goes back only for a service that fails', () => {
  const seen = { revoked: 0, back: 0 }
  fc.assert(
    fc.property(fc.boolean(), fc.array(event, { minLength: 5, maxLength: 60 }), (now, events) => {
      const world = new World(now)
      world.look()
      for (const one of events) {
        world.happen(one)
        world.look()
        if (world.end !== undefined) break
      }
      if (world.end === undefined) return
      seen[world.end] += 1
      const { services, sessions, seenAt, status } = world
      if (world.end === 'back') {
        const failing = services.filter(
          ({ restarts, state, health }) =>
            restarts >= mostRestarts || state !== 'running' || health === 'unhealthy',
        )
        expect(failing).not.toEqual([])
        return
      }
      for (const { since, state, health } of services) {
        expect([state, health]).toEqual(['running', 'healthy'])
        expect(world.now - since).toBeGreaterThanOrEqual(settledMs)
      }
      expect(sessions).toBe(0)
      if (!now) expect(world.now - seenAt).toBeGreaterThanOrEqual(2 * minute)
      expect(status.use!.looks).toBeGreaterThan(0)
    }),
    { numRuns: 150 },
  )
  expect(seen.revoked).toBeGreaterThan(0)
  expect(seen.back).toBeGreaterThan(0)
})
