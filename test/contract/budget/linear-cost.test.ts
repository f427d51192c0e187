// What is sent by others costs no more than its size: eight times as many entries in any list or map of a body cost at
// most sixteen times the CPU, and a constant. Bodies are driven through what decodes and judges them, without a server.
import { describe, expect, it } from 'vitest'
import type * as z from 'zod'
import { fileWordsOf } from '../../../agent/compose/compose-files.ts'
import { decodeBody } from '../../../controller/http/agents/requests/refusal.ts'
import { duplicateKeys } from '../../../controller/http/kube/duplicate-keys.ts'
import { jsonPatch, type JsonDocument } from '../../../controller/http/kube/patches/patch.ts'
import { applyStrategicPatch } from '../../../controller/http/kube/patches/strategic-merge.ts'
import { peerRequests } from '../../../controller/http/peers/requests.ts'
import { decodeInput } from '../../../controller/http/rest/input.ts'
import { restRoutes } from '../../../controller/http/rest/table.ts'
import { consumersBySecret, decideSecret } from '../../../controller/reconcilers/project/decide.ts'
import { decideStagelet } from '../../../controller/reconcilers/stagelet/decide.ts'
import { stageletEventsOf } from '../../../controller/reconcilers/stagelet/events.ts'
import { activityOf } from '../../../controller/reconcilers/stagelet/activity.ts'
import { matchesKey } from '../../../controller/stores/allowed.ts'
import { compare, fieldSetOf } from '../../../src/managed-fields/compare.ts'
import { toFieldsV1 } from '../../../src/managed-fields/field-set.ts'
import { shapeOfKind } from '../../../src/managed-fields/shape.ts'
import { parseManifests } from '../../../src/manifests/parse.ts'
import { decodeReport, fitStored } from '../../../src/protocol/fit-report.ts'
import { joinContent, joinRequest } from '../../../src/protocol/join.ts'
import { logBatch } from '../../../src/protocol/logs.ts'
import {
  keysRequest,
  reportedStagelet,
  reportEnvelope,
  streamRequest,
} from '../../../src/protocol/messages.ts'
import { taskReport } from '../../../src/protocol/tasks.ts'
import { objectSchema } from '../../../src/resources/schemas/crd.ts'
import { observationSpec, type ObservationSpec } from '../../../src/kinds/observation/schema.ts'
import { objectMetaSchema } from '../../../src/resources/schemas/openapi-meta.ts'
import { ownerReferences } from '../../../src/resources/owner-references.ts'
import { apiVersionOf } from '../../../src/resources/kind-names.ts'
import { kinds } from '../../../src/kinds/index.ts'
import { decodeObject, decodeStatus } from '../../../src/kinds/decode.ts'
import { aService, aStagelet, anEntry, anInput, anObservation } from '../../support/builders.ts'
import { grownOf, type Grown } from '../../support/databases/grown.ts'

/** Of a report, whose judgement costs more than its decoding. */
const fewReported = 1_000
const few = 500
const factor = 8
const mostTimes = 16
const constantMs = 20
const attempts = 3

const cpuMsOf = (work: () => unknown): number => {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

/** Undefined where the cost is linear. The least of some attempts counts: others use the machine too. */
const tooDear = (
  { field, body }: Grown,
  drive: (json: string) => unknown,
  least: number,
): string | undefined => {
  const small = JSON.stringify(body(least))
  const large = JSON.stringify(body(least * factor))
  const costs = { small: Infinity, large: Infinity }
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    costs.small = Math.min(
      costs.small,
      cpuMsOf(() => drive(small)),
    )
    costs.large = Math.min(
      costs.large,
      cpuMsOf(() => drive(large)),
    )
    if (costs.large <= costs.small * mostTimes + constantMs) return undefined
  }
  const [less, more] = [costs.small, costs.large].map((ms) => `${ms.toFixed(1)} ms`)
  return `${field}: ${least} entries ${less}, ${least * factor} entries ${more}`
}

const expectLinear = (
  bodies: readonly Grown[],
  drive: (json: string) => unknown,
  least = few,
): void => {
  expect(bodies.flatMap((one) => tooDear(one, drive, least) ?? [])).toEqual([])
}

/** What is refused has been looked at. */
const attempt = (work: () => unknown): void => {
  try {
    work()
  } catch {
    // A refusal costs what it costs.
  }
}

const entries = Array.from({ length: 20 }, (_, i) =>
  anEntry({ key: `KEY_${i}`, scope: i % 2 === 0 ? 'global' : `x${i}` }),
)

/** The reconciler's part, twice: the second time with what the first has stored. */
const judge = (observation: ObservationSpec): void => {
  const first = anInput(entries, { observation })
  const { status } = decideStagelet(first)
  const stagelet = aStagelet({ status })
  const second = { ...first, stagelet }
  const after = decideStagelet(second).status
  stageletEventsOf(first.stagelet, after)
  activityOf(second, {
    ...after,
    lastRollout: { revision: 2, result: 'Healthy', ...first.observation?.rollout },
  })
  const secrets = entries.map(({ key, scope, secretId }) => ({
    apiVersion: 'stagely.dev/v1alpha1',
    kind: 'StagelySecret',
    metadata: { name: key.toLowerCase(), namespace: 'default', uid: secretId, generation: 1 },
    spec: { projectRef: { name: 'shop' }, key, scope: `${scope}y`, type: 'env' as const },
  }))
  const facts = {
    now: first.now,
    project: { apiVersion: '', kind: 'Project', metadata: { name: 'shop', namespace: 'default' } },
    revisions: { epoch: 1, closed: 1, closesAt: undefined, quietAt: 0 },
    head: first.head!,
    stagelets: [stagelet],
    runningSets: new Map([[1, first.head!]]),
  }
  const consumers = consumersBySecret(facts)
  for (const secret of secrets)
    decideSecret(facts, secret, consumers.get(secret.metadata.uid) ?? [])
}

describe('reports of an agent', () => {
  const whole = (observation: unknown): ObservationSpec => ({
    ...anObservation(),
    ...(observation as Partial<ObservationSpec>),
  })

  it('are decoded and judged', () => {
    expectLinear(
      grownOf(reportedStagelet),
      (json) => {
        const report = whole(JSON.parse(json))
        const decoded = decodeReport(report)
        judge({ ...report, ...('report' in decoded && decoded.report) })
      },
      fewReported,
    )
  })

  it('are many in one request', () => {
    expectLinear(grownOf(reportEnvelope), (json) => attempt(() => decodeBody(json, reportEnvelope)))
  })

  it('with very many services are compared with what was known of them', () => {
    const named = (count: number): { name: string }[] =>
      Array.from({ length: count }, (_, i) => ({ name: `x${i}` }))
    const drive = (json: string): void => {
      const services = (JSON.parse(json) as { name: string }[]).map((one) => aService(one))
      const known = services.map(({ name }) => ({ name, state: 'running' }))
      const stagelet = aStagelet({ status: { services: known } })
      decideStagelet(anInput(entries, { observation: anObservation({ services }), stagelet }))
    }
    expectLinear([{ field: 'services', body: named }], drive, 4_000)
  })

  it('that an earlier release has stored are judged, cut or not', () => {
    expectLinear(
      grownOf(observationSpec),
      (json) => {
        const stored = whole(JSON.parse(json))
        judge(fitStored(stored))
        judge(stored)
      },
      fewReported,
    )
  })
})

describe('other messages', () => {
  const requests = { joinRequest, joinContent, keysRequest, streamRequest }
  const told = { logBatch, taskReport }
  it.each(Object.entries({ ...requests, ...told, ...peerRequests }))('%s', (_, schema) => {
    expectLinear(grownOf(schema), (json) => attempt(() => decodeBody(json, schema as z.ZodType)))
  })
})

describe('an object', () => {
  const metadata: Grown[] = [
    ...(['labels', 'annotations'] as const).flatMap((field) =>
      ['k', 'not a name ', 'K/'].map((start) => ({
        field: `${field} such as "${start}"`,
        body: (count: number) => ({
          name: 'a',
          [field]: Object.fromEntries(
            Array.from({ length: count }, (_, i) => [`${start}${i}`, `v${i}`]),
          ),
        }),
      })),
    ),
    {
      field: 'finalizers',
      body: (count) => ({
        finalizers: Array.from({ length: count }, (_, i) => `example.com/f${i}`),
      }),
    },
    ...grownOf(ownerReferences).map(({ body, ...one }) => ({
      ...one,
      body: (count: number) => ({ name: 'a', ownerReferences: body(count) }),
    })),
  ]

  it.each(kinds.map((kind) => [kind.kind, kind] as const))('of kind %s', (name, kind) => {
    const shape = shapeOfKind(kind)
    const schema = objectSchema(kind)
    const place = { apiVersion: apiVersionOf(kind), kind: name }
    const drive = (object: object): void => {
      const json = JSON.stringify(object)
      duplicateKeys(json)
      decodeObject(JSON.parse(json))
      toFieldsV1(fieldSetOf(shape, object))
      compare(shape, place, object)
      attempt(() => applyStrategicPatch(object, JSON.parse(json), schema))
    }
    expectLinear(grownOf(kind.spec), (json) => {
      drive({
        ...place,
        metadata: { name: 'a', namespace: 'default' },
        spec: JSON.parse(json) as unknown,
      })
    })
    if (name === 'Stagelet')
      expectLinear(metadata, (json) => {
        drive({ ...place, metadata: JSON.parse(json) as unknown, spec: {} })
      })
    if (kind.status === undefined) return
    expectLinear(grownOf(kind.status), (json) => {
      const status = JSON.parse(json) as unknown
      decodeStatus(kind, status)
      drive({ ...place, metadata: { name: 'a', namespace: 'default' }, spec: {}, status })
    })
  })

  it('is patched by long lists and their order', () => {
    const finalizers = (count: number): object => {
      const many = Array.from({ length: count }, (_, i) => `f${i}`)
      return { finalizers: many, '$setElementOrder/finalizers': many.toReversed() }
    }
    const schema = { properties: { metadata: objectMetaSchema } }
    expectLinear([{ field: 'finalizers', body: finalizers }], (json) => {
      const metadata = JSON.parse(json) as { finalizers: string[] }
      const target = { metadata: { finalizers: metadata.finalizers } }
      applyStrategicPatch(target, { metadata }, schema)
    })
  })

  it('is patched by operations', () => {
    const add = (count: number): object[] =>
      Array.from({ length: count }, (_, i) => ({ op: 'add', path: '/list/0', value: i }))
    expectLinear([{ field: 'operations', body: add }], (json) =>
      jsonPatch({ list: [] }, JSON.parse(json) as JsonDocument),
    )
  })
})

describe('a request of REST', () => {
  const withBody = restRoutes.filter(({ body }) => body !== undefined)
  it.each(withBody.map((route) => [route.id, route] as const))('%s', (_, route) => {
    expectLinear(grownOf(route.body!), (json) =>
      attempt(() => decodeInput(route, { query: {}, value: JSON.parse(json) as unknown })),
    )
  })
})

describe('a text', () => {
  const expectText = (text: (count: number) => string, read: (text: string) => unknown): void => {
    expectLinear([{ field: 'text', body: text }], (json) => read(JSON.parse(json) as string), 2_000)
  }

  it('of a manifest with many keys, of which one comes twice', () => {
    const head = 'apiVersion: stagely.dev/v1alpha1\nkind: Project\nmetadata: {name: a}\nspec:\n'
    const keys = (count: number): string =>
      Array.from({ length: count }, (_, i) => `  k${i}: 1\n`).join('')
    expectText(
      (count) => `${head}${keys(count)}  k7: 2\n`,
      (text) => parseManifests(text, 'a.yaml'),
    )
  })

  it('of a Compose file with a blob', () => {
    expectText((count) => `configs: {a: {content: ${'A'.repeat(10 * count)}}}\n`, fileWordsOf)
  })

  it('of a pattern with many stars', () => {
    expectText(
      (count) => `${'*a'.repeat(count)}b`,
      (pattern) => matchesKey(pattern, 'a'.repeat(pattern.length)),
    )
  })
})
