import { describe, expect, it } from 'vitest'
import { requireKind } from '../kinds/index.ts'
import { applyConfiguration, type Applied } from './apply.ts'
import { shapeOfKind } from './shape.ts'

const shape = shapeOfKind(requireKind('Project'))

const apply = (
  manager: string,
  config: object,
  { object = {}, managers = [] }: Partial<Applied> = {},
): Applied =>
  applyConfiguration({
    shape,
    who: { manager, apiVersion: 'stagely.dev/v1alpha1', subresource: '' },
    managers,
    live: object,
    config,
    force: false,
    now: '2026-11-24T12:00:00Z',
  })

describe('a block that is applied no longer', () => {
  const filled = { maxConcurrent: 3, onFailure: 'Continue', progressDeadlineSeconds: 600 }
  const object = { spec: { description: 'd', rollout: filled } }
  const bare = { spec: { description: 'd' } }
  const { managers } = apply('a', { spec: { description: 'd', rollout: { maxConcurrent: 3 } } })

  it('goes with its defaults, once nobody owns anything in it', () => {
    expect(apply('a', bare, { object, managers }).object).toEqual(bare)
  })

  it('stays with them while somebody else owns a field in it', () => {
    const theirs = { spec: { rollout: { onFailure: 'Continue' } } }
    const shared = apply('b', theirs, { object, managers })
    const { maxConcurrent: _, ...kept } = filled
    expect(apply('a', bare, { object, managers: shared.managers }).object).toEqual({
      spec: { description: 'd', rollout: kept },
    })
  })

  it('is never the metadata, in which the server keeps what is its own', () => {
    const finalizers = ['stagely.dev/agent']
    const first = apply('a', { metadata: { labels: { x: '1' } }, ...bare })
    const live = { metadata: { labels: { x: '1' }, finalizers }, ...bare }
    const after = apply('a', bare, { object: live, managers: first.managers })
    expect(after.object).toEqual({ metadata: { finalizers }, ...bare })
  })
})
