import { describe, expect, it } from 'vitest'
import { requireKind } from '../kinds/index.ts'
import { applyConfiguration, type Applied } from './apply.ts'
import { untypable } from './compare.ts'
import { pathsOf, setOfPaths, textOfPath, union } from './field-set.ts'
import { parseManagers, renderManagers, type Manager } from './managers.ts'
import { shapeOfKind, type Shape } from './shape.ts'
import { managersAfterUpdate } from './update.ts'

const apiVersion = 'stagely.dev/v1alpha1'
const now = '2026-11-24T12:00:00Z'
const later = '2026-11-24T13:00:00Z'
const stagelet = shapeOfKind(requireKind('Stagelet'))

const who = (manager: string) => ({ manager, apiVersion, subresource: '' })
const apply = (
  manager: string,
  config: unknown,
  { object = {}, managers = [] }: Partial<Applied> = {},
  more: { force?: boolean; shape?: Shape; at?: string } = {},
): Applied =>
  applyConfiguration({
    shape: more.shape ?? stagelet,
    who: who(manager),
    managers,
    live: object,
    config,
    force: more.force ?? false,
    now: more.at ?? now,
  })
const owned = (managers: readonly Manager[], name: string): string[] =>
  managers.filter((m) => m.manager === name).flatMap((m) => pathsOf(m.fields).map(textOfPath))
const compose = (directory: string, more: object = {}): object => ({
  spec: { compose: { directory, ...more } },
})

describe('an apply', () => {
  it('sets its fields, keeps those of others, and owns its own', () => {
    const first = apply('a', { metadata: { labels: { x: '1' } }, ...compose('/a') })
    const second = apply('b', { metadata: { labels: { y: '2' } } }, first)
    expect(second.object).toEqual({ metadata: { labels: { x: '1', y: '2' } }, ...compose('/a') })
    expect(owned(second.managers, 'a')).toEqual(['.metadata.labels.x', '.spec.compose.directory'])
    expect(owned(second.managers, 'b')).toEqual(['.metadata.labels.y'])
  })

  it('takes away what it no longer says, and what that leaves empty', () => {
    const first = apply('a', { metadata: { labels: { x: '1', z: '3' } }, ...compose('/a') })
    const second = apply('a', { metadata: { labels: { x: '1' } } }, first)
    expect(second.object).toEqual({ metadata: { labels: { x: '1' } } })
  })

  it('leaves what somebody else owns too', () => {
    const first = apply('a', compose('/a', { files: ['one'] }))
    const shared = apply('b', compose('/a', { files: ['one'] }), first)
    const second = apply('a', compose('/a'), shared)
    expect(second.object).toEqual(compose('/a', { files: ['one'] }))
    expect(owned(second.managers, 'a')).toEqual(['.spec.compose.directory'])
  })

  it('leaves what nobody owns beside what it takes away', () => {
    const object = { spec: { compose: { directory: '/a', files: ['one'], onChange: 'Hold' } } }
    const { managers } = apply('a', compose('/a', { files: ['one'] }))
    expect(apply('a', compose('/a'), { object, managers }).object).toEqual({
      spec: { compose: { directory: '/a', onChange: 'Hold' } },
    })
  })

  it('conflicts with the owner of a value that it would change, in the words of Kubernetes', () => {
    const first = apply('alice', compose('/a', { files: ['one'] }))
    expect(() => apply('bob', compose('/b', { files: ['one'] }), first)).toThrow(
      'Apply failed with 1 conflict: conflict with "alice": .spec.compose.directory',
    )
    const managers = managersAfterUpdate({
      shape: stagelet,
      who: who('kubectl-edit'),
      managers: first.managers,
      before: first.object,
      after: compose('/a', { files: ['two'] }),
      now,
    })
    const object = compose('/a', { files: ['two'] })
    let error: unknown
    try {
      apply('bob', compose('/b', { files: ['three'] }), { object, managers })
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({
      reason: 'Conflict',
      message: `Apply failed with 2 conflicts: conflicts with "alice":
- .spec.compose.directory
conflicts with "kubectl-edit" using ${apiVersion}:
- .spec.compose.files`,
      details: {
        faults: [
          {
            reason: 'FieldManagerConflict',
            message: 'conflict with "alice"',
            field: '.spec.compose.directory',
          },
          {
            message: `conflict with "kubectl-edit" using ${apiVersion}`,
            field: '.spec.compose.files',
          },
        ],
      },
    })
  })

  it('takes the fields over by force', () => {
    const first = apply('alice', compose('/a', { files: ['one'] }))
    const second = apply('bob', compose('/b'), first, { force: true })
    expect(second.object).toEqual(compose('/b', { files: ['one'] }))
    expect(owned(second.managers, 'alice')).toEqual(['.spec.compose.files'])
    expect(owned(second.managers, 'bob')).toEqual(['.spec.compose.directory'])
  })

  it('owns conditions one by one', () => {
    const ready = { type: 'Ready', status: 'True' }
    const synced = { type: 'SecretsInSync', status: 'False' }
    const first = apply('a', { status: { conditions: [ready] } })
    const second = apply('b', { status: { conditions: [synced] } }, first)
    expect(second.object).toEqual({ status: { conditions: [ready, synced] } })
    expect(owned(second.managers, 'b')).toEqual([
      '.status.conditions[type="SecretsInSync"]',
      '.status.conditions[type="SecretsInSync"].status',
      '.status.conditions[type="SecretsInSync"].type',
    ])
    expect(() => apply('b', { status: { conditions: [{ ...ready, status: 'False' }] } }, second))
      // prettier-ignore
      .toThrow('conflict with "a": .status.conditions[type="Ready"].status')
    const third = apply('a', { status: { conditions: [] } }, second)
    expect(third.object).toEqual({ status: { conditions: [synced] } })
  })

  it('keeps its time when nothing changes', () => {
    const first = apply('a', compose('/a'))
    const second = apply('a', compose('/a'), first, { at: later })
    expect(renderManagers(second.managers)).toEqual(renderManagers(first.managers))
    const third = apply('a', compose('/b'), second, { at: later })
    expect(third.managers[0]).toMatchObject({ time: later })
  })
})

describe('an update', () => {
  it('gives the changed fields to its manager and takes them from others', () => {
    const first = apply('a', compose('/a', { files: ['one'] }))
    const managers = managersAfterUpdate({
      shape: stagelet,
      who: who('kubectl-patch'),
      managers: first.managers,
      before: first.object,
      after: compose('/b', { profiles: ['p'] }),
      now: later,
    })
    expect(owned(managers, 'a')).toEqual([])
    expect(owned(managers, 'kubectl-patch')).toEqual([
      '.spec.compose.directory',
      '.spec.compose.profiles',
    ])
  })

  it('owns the maps that it makes', () => {
    const managers = managersAfterUpdate({
      shape: stagelet,
      who: who('kubectl-create'),
      managers: [],
      before: { metadata: {} },
      after: { metadata: { labels: { a: 'b' } }, ...compose('/a') },
      now,
    })
    expect(renderManagers(managers)).toEqual([
      {
        manager: 'kubectl-create',
        operation: 'Update',
        apiVersion,
        time: now,
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } },
          'f:spec': { '.': {}, 'f:compose': { '.': {}, 'f:directory': {} } },
        },
      },
    ])
  })

  it('by ever new managers does not grow the list for ever', () => {
    let managers: Manager[] = []
    for (let i = 0; i < 30; i++)
      managers = managersAfterUpdate({
        shape: stagelet,
        who: who(`m${i}`),
        managers: parseManagers(renderManagers(managers))!,
        before: compose(`/${i}`),
        after: compose(`/${i}`, { [i % 2 ? 'files' : 'profiles']: [`${i}`] }),
        now,
      }).map((m) => ({ ...m, fields: union(m.fields, setOfPaths([['f:spec', `f:x${i}`]])) }))
    expect(renderManagers(managers).length).toBeLessThanOrEqual(10)
    expect(renderManagers(managers).map((m) => m.manager)).toContain('ancient-changes')
  })
})

describe('what cannot be applied', () => {
  it('is named as Kubernetes does', () => {
    expect(untypable(stagelet, { spec: { compose: { directory: '/a' } } })).toBeUndefined()
    expect(untypable(stagelet, { spec: { compose: { dir: '/a' } } })).toBe(
      '.spec.compose.dir: field not declared in schema',
    )
    expect(untypable(stagelet, { status: { conditions: [{ status: 'True' }] } })).toContain(
      'element 0: associative list with keys has an element that omits key field "type"',
    )
    const twice = { status: { conditions: [{ type: 'A' }, { type: 'A' }] } }
    expect(untypable(stagelet, twice)).toContain('duplicate entries for key {"type":"A"}')
  })
})
