import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../resources/meta.ts'
import { apiVersionOf } from '../resources/kind-names.ts'
import { requireKind } from '../kinds/index.ts'
import { parseManagers, renderManagers } from './managers.ts'
import { shapeOfKind } from './shape.ts'
import { controllerManager, withStatusOwner } from './status.ts'
import { managersAfterUpdate } from './update.ts'
import { runs } from '../../test/support/soak.ts'

const kind = requireKind('Stagelet')

/** Few values, so that two statuses often differ in one place only. */
const condition = fc.record({
  type: fc.constantFrom('Ready', 'Degraded'),
  status: fc.constantFrom('True', 'False'),
  message: fc.constantFrom('', 'why'),
  observedGeneration: fc.option(fc.nat(2), { nil: undefined }),
})
const service = fc.record({
  name: fc.constantFrom('app', 'db'),
  restarts: fc.nat(2),
  keys: fc.subarray(['A', 'B']),
  health: fc.option(fc.constantFrom('healthy', 'starting'), { nil: undefined }),
})
const statusOf = fc.record({
  observedGeneration: fc.nat(2),
  wantedRevision: fc.option(fc.nat(2), { nil: undefined }),
  services: fc.uniqueArray(service, { selector: (s) => s.name }),
  conditions: fc.uniqueArray(condition, { selector: (c) => c.type }),
})

const stagelet = (status: object, metadata: object = {}): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Stagelet',
  metadata: { name: 'prod', ...metadata },
  status: JSON.parse(JSON.stringify(status)) as Record<string, unknown>,
})

/** With the sets of fields computed, whatever has changed. */
const computed = (object: KubeObject, before: KubeObject, now: string): unknown =>
  renderManagers(
    managersAfterUpdate({
      shape: shapeOfKind(kind),
      managers: parseManagers(object.metadata.managedFields) ?? [],
      who: { manager: controllerManager, apiVersion: apiVersionOf(kind), subresource: 'status' },
      before: { status: before.status },
      after: { status: object.status },
      now,
    }),
  )

describe('the owner of a status of which only values changed', () => {
  it('is the one that is computed field by field', () => {
    fc.assert(
      fc.property(
        fc.array(statusOf, { minLength: 2, maxLength: 6 }),
        fc.boolean(),
        (states, shared) => {
          const person = {
            manager: 'kubectl',
            operation: 'Update' as const,
            apiVersion: apiVersionOf(kind),
            time: '2024-01-01T00:00:00Z',
            fieldsType: 'FieldsV1' as const,
            fieldsV1: shared ? { 'f:status': { 'f:wantedRevision': {} } } : { 'f:spec': {} },
          }
          let before = stagelet({}, { managedFields: [person] })
          for (const [i, status] of states.entries()) {
            const now = `2024-01-01T00:00:0${i + 1}Z`
            const given = stagelet(status, before.metadata)
            const next = withStatusOwner(given, before, now)
            expect(next.metadata.managedFields).toEqual(computed(given, before, now))
            before = next
          }
        },
      ),
      runs(100, 10_000),
    )
  })
})
