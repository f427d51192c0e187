import { describe, expect, it } from 'vitest'
import { aStagelet, anEntry } from '../../../test/support/builders.ts'
import type { ServiceStatus, StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import type { SecretSpec } from '../../../src/kinds/secret/schema.ts'
import type { SetEntry } from '../../../src/secrets/set-entry.ts'
import { viewsOf } from '../../../src/secrets/set-views.ts'
import type {
  ProjectInput,
  SecretObject,
  StageletObject,
} from '../../reconcilers/project/gather.ts'
import { proofOf } from './proof.ts'

const meta = { apiVersion: 'stagely.dev/v1alpha1' }

const aSecret = (key: string, version: number, more: Partial<SecretSpec> = {}): SecretObject => ({
  ...meta,
  kind: 'StagelySecret',
  metadata: { name: key.toLowerCase(), namespace: 'default', uid: `id-${key}` },
  spec: { projectRef: { name: 'shop' }, key, scope: 'backend', type: 'env', ...more },
  status: { version },
})

const entry = (key: string, version: number, scope = 'backend', more = {}): SetEntry =>
  anEntry({ secretId: `id-${key}`, key, version, scope, ...more })

const runs = (name: string, revision: number | undefined): ServiceStatus => ({
  name,
  state: 'running',
  containers: 1,
  ...(revision === undefined ? {} : { revision }),
})

const stack = (
  services: ServiceStatus[],
  more: StageletStatus = {},
  paused = false,
): StageletObject => {
  const made = aStagelet({ status: { services, healthyRevision: 2, conditions: [], ...more } })
  return paused ? { ...made, spec: { ...made.spec, paused } } : made
}

interface Sets {
  before: SetEntry[]
  now: SetEntry[]
  secrets?: SecretObject[]
}

/** Of an output DB, at version 2 since revision 2. */
const proofIn = (
  stagelets: StageletObject[],
  { before, now, secrets = [] }: Sets,
  output = aSecret('DB', 2),
) => {
  const setOf = (revision: number, entries: SetEntry[]) => ({
    projectUid: 'p',
    epoch: 1,
    revision,
    entries,
  })
  const input: ProjectInput = {
    now: '2026-01-01T00:00:00Z',
    project: { ...meta, kind: 'Project', metadata: { name: 'shop', namespace: 'default' } },
    revisions: { epoch: 1, closed: 2, closesAt: undefined, quietAt: 0 },
    head: setOf(2, now),
    secrets: [output, ...secrets],
    stagelets,
    runningSets: new Map([
      [1, setOf(1, before)],
      [2, setOf(2, now)],
    ]),
  }
  return proofOf(input, [output], { revision: 2 })
}

const proved = (stagelets: StageletObject[], sets: Sets, output?: SecretObject) => {
  const { blockedBy, evidence, rolling } = proofIn(stagelets, sets, output)
  return [
    ...blockedBy.map(({ reason, message }) => `${reason}: ${message}`),
    ...rolling.map((name) => `rolling: ${name}`),
    ...evidence.map(({ containers }) => `proven: ${containers}`),
  ]
}
const pausedContainer = expect.stringMatching(
  /^ContainerPaused: a container of service backend is paused: .*docker unpause NAME$/,
) as string
const paused = ['Paused: it is paused: stagely rollout resume stagelet/shop']

describe('the proof that nothing runs with an old credential', () => {
  it('is that all who see an output run its value of now', () => {
    const sets = { before: [entry('DB', 1)], now: [entry('DB', 2)] }
    expect(proved([stack([runs('backend', 2)])], sets)).toEqual(['proven: 1'])
    expect(proved([stack([runs('backend', 1)])], sets)).toEqual(['rolling: shop'])
    expect(proved([stack([runs('backend', 1)], {}, true)], sets)).toEqual(paused)
  })

  it('names a container that Docker has paused, before and after it has the new value', () => {
    const sets = { before: [entry('DB', 1)], now: [entry('DB', 2)] }
    for (const revision of [1, 2]) {
      const found = proved([stack([{ ...runs('backend', revision), state: 'paused' }])], sets)
      expect(found).toContainEqual(pausedContainer)
    }
  })

  it('counts those that get the value by another secret, which takes it from the output', () => {
    const secrets = [
      aSecret('COPY', 2, { scope: 'worker', valueFrom: { secretRef: { name: 'db' } } }),
    ]
    const sets = {
      before: [entry('DB', 1), entry('COPY', 1, 'worker')],
      now: [entry('DB', 2), entry('COPY', 2, 'worker')],
      secrets,
    }
    expect(proved([stack([runs('worker', 1)], {}, true)], sets)).toEqual(paused)
    expect(proved([stack([runs('worker', 2), runs('backend', 2)])], sets)).toEqual(['proven: 2'])
  })

  it('counts those that saw it in the set that they run, though not in the newest one', () => {
    const moved = { before: [entry('DB', 1, 'worker')], now: [entry('DB', 2)] }
    expect(proved([stack([runs('worker', 1)], {}, true)], moved)).toEqual(paused)
    expect(proved([stack([runs('worker', 2)])], moved)).toEqual(['proven: 0'])
    const template = (references?: string[]) =>
      entry('URL', 1, 'worker', references === undefined ? {} : { references })
    const unreferred = {
      before: [entry('DB', 1), template(['backend/DB'])],
      now: [entry('DB', 2), template()],
    }
    expect(proved([stack([runs('worker', 1)], {}, true)], unreferred)).toEqual(paused)
    // A stagelet that the output was of before.
    const own = aSecret('DB', 2, { stageletRef: { name: 'two' } })
    const given = {
      before: [entry('DB', 1, 'backend', { stagelet: 'shop' })],
      now: [entry('DB', 2, 'backend', { stagelet: 'two' })],
    }
    expect(proved([stack([runs('backend', 1)], {}, true)], given, own)).toEqual(paused)
    expect(proved([stack([runs('backend', 2)], {}, true)], given, own)).toEqual([])
  })

  it('is none where it is not known which set a container has', () => {
    const sets = { before: [], now: [entry('DB', 2)] }
    expect(proved([stack([runs('worker', undefined)], {}, true)], sets)).toEqual(paused)
    expect(proved([stack([runs('worker', 7)], {}, true)], sets)).toEqual(paused)
    const none = { ...runs('worker', undefined), state: 'missing', containers: 0 }
    expect(proved([stack([none], {}, true)], sets)).toEqual(['proven: 0'])
  })

  it('is there while a service that sees no output is re-created with the newest set', () => {
    const now = [entry('DB', 2), entry('KEY', 1, 'worker')]
    const sets = { before: [], now }
    const runningDigest = viewsOf(now).viewOf('shop', 'worker').digest!
    const fresh = { ...runs('worker', undefined), runningDigest }
    expect(proved([stack([runs('backend', 2), fresh])], sets)).toEqual(['proven: 1'])
    const older = { ...fresh, runningDigest: 'older' }
    expect(proved([stack([runs('backend', 2), older])], sets)).toEqual(['rolling: shop'])
  })

  it('is none while a service does not run, or is not healthy', () => {
    const sets = { before: [entry('DB', 1)], now: [entry('DB', 2)] }
    const once = (more: Partial<ServiceStatus>): string[] =>
      proved([stack([{ ...runs('backend', 2), ...more }])], sets)
    for (const state of ['restarting', 'exited', 'created'])
      expect(once({ state })).toEqual(['rolling: shop'])
    for (const health of ['unhealthy', 'starting'])
      expect(once({ health })).toEqual(['rolling: shop'])
    expect(once({ health: 'healthy', restarts: 7 })).toEqual(['proven: 1'])
    expect(once({ state: 'completed', exitCode: 0 })).toEqual(['proven: 1'])
    // Whoever sees no output may be as ill as ever.
    const other = { ...runs('worker', 2), state: 'exited' }
    expect(proved([stack([runs('backend', 2), other])], sets)).toEqual(['proven: 1'])
  })

  it('is of what runs: another start of a container makes it another one', () => {
    const sets = { before: [entry('DB', 1)], now: [entry('DB', 2)] }
    const of = (more: Partial<ServiceStatus>, worker: Partial<ServiceStatus> = {}) =>
      proofIn(
        [
          stack([
            { ...runs('backend', 2), ...more },
            { ...runs('worker', 2), ...worker },
          ]),
        ],
        sets,
      )
    const first = of({ since: '2026-01-01T00:00:00Z' })
    expect(of({ since: '2026-01-01T00:00:00Z' }).runs).toBe(first.runs)
    expect(of({ since: '2026-01-01T00:00:00Z' }, { since: 'later', restarts: 3 })).toEqual(first)
    for (const more of [{ since: '2026-01-01T00:00:20Z' }, { restarts: 1 }, { containers: 2 }])
      expect(of({ since: '2026-01-01T00:00:00Z', ...more }).runs).not.toBe(first.runs)
    expect(of({ restarts: 2 }).restarts).toEqual({ 'shop/backend': 2 })
  })

  it('blames failures on nobody who was not well for long before', () => {
    const sets = { before: [entry('DB', 1)], now: [entry('DB', 2)] }
    const unsteady = (more: Partial<ServiceStatus>): readonly string[] =>
      proofIn([stack([{ ...runs('backend', 1), ...more }])], sets).unsteady
    expect(unsteady({ since: '2025-12-31T23:00:00Z' })).toEqual([])
    for (const more of [
      ...[{ since: '2025-12-31T23:59:30Z' }, { restarts: 3 }, { health: 'unhealthy' }],
      ...[{ state: 'exited' }, { state: 'unknown' }],
    ])
      expect(unsteady(more)).toEqual(['shop/backend'])
  })

  it('is none while a container of compose run has older secrets', () => {
    const sets = { before: [entry('DB', 1)], now: [entry('DB', 2)] }
    const services = [runs('backend', 2), { ...runs('worker', 2), oneOffs: 1 }]
    expect(proved([stack(services)], sets)).toEqual([
      expect.stringMatching(/^OldContainer: .*"compose run" has older secrets of worker/),
    ])
  })

  it('names containers that have ended with older secrets, and is none of a report that was cut', () => {
    const sets = { before: [entry('DB', 1)], now: [entry('DB', 2)] }
    const endedContainers = ['shop-backend-run-1']
    const { evidence } = proofIn([stack([runs('backend', 2)], { endedContainers })], sets)
    expect(evidence).toMatchObject([{ stagelet: 'shop', ended: endedContainers }])
    const cut = {
      type: 'ReportCut',
      status: 'True' as const,
      reason: 'Cut',
      message: 'it holds more',
    }
    const conditions = [{ ...cut, lastTransitionTime: '2026-01-01T00:00:00Z' }]
    expect(proved([stack([runs('backend', 2)], { conditions })], sets)).toEqual([
      'ReportCut: it holds more',
    ])
  })

  it('is none while a container of a service that was renamed has older secrets', () => {
    const sets = { before: [entry('DB', 1)], now: [entry('DB', 2)] }
    const renamed = stack([runs('backend', 2)], { strayServices: ['api'] })
    expect(proved([renamed], sets)).toEqual([
      expect.stringMatching(
        /^OldContainer: .*service api, which the compose files do not name, .*service=api and remove it with docker rm -f NAME/,
      ),
    ])
  })
})
