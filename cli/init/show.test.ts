import { expect, it } from 'vitest'
import type { ReviewStatus } from '../../src/manifests/review.ts'
import { renderProposal, summaryOf, type InitFindings } from './show.ts'

const service = (name: string, restartsAfter: string[] = []) => ({
  name,
  enabled: true,
  restartsAfter,
  environment: new Map<string, string>(),
  dependsOn: [],
  sharesWith: [],
  written: new Map<string, string>(),
})

const foundWith = (
  action: 'Create' | 'Unchanged',
  more: Partial<ReviewStatus> = {},
): InitFindings =>
  ({
    project: {
      name: 'shop',
      directory: '/srv/shop',
      services: [service('db'), service('front', ['web']), service('web')],
    },
    proposal: {
      secrets: [],
      kept: [],
      recreated: ['db', 'web'],
      restarted: ['front'],
      untouched: [],
      untied: [],
      gains: [],
      unread: [],
    },
    review: {
      faults: [],
      affected: [],
      changes: [
        {
          index: 0,
          kind: 'Stagelet',
          namespace: 'default',
          name: 'shop',
          action,
          fields: [],
          valueChanged: false,
        },
      ],
      ...more,
    },
    held: [],
    manifest: 'stagely.yaml',
    manifestDiffers: false,
  }) as unknown as InitFindings

it('tells of a new stack what its first up does', () => {
  const found = foundWith('Create')
  expect(renderProposal(found)).toContain('The first "up" re-creates: db, web\n')
  expect(summaryOf(found)).toMatchObject({ recreated: ['db', 'web'], restarted: ['front'] })
})

it('tells of a stack that Stagely has already what the write reaches', () => {
  expect(renderProposal(foundWith('Unchanged'))).toContain(
    '\nNo running service would be re-created.\n',
  )
  const hit = { namespace: 'default', service: 'web', keys: ['NEW'], reason: 'new key' }
  const found = foundWith('Unchanged', {
    affected: [
      { ...hit, stagelet: 'shop' },
      { ...hit, stagelet: 'other', service: 'db' },
    ],
  })
  const text = renderProposal(found)
  expect(text).not.toContain('first')
  expect(text).toContain('    default/shop  web: NEW  (new key)\n')
  expect(summaryOf(found)).toMatchObject({
    recreated: ['web'],
    restarted: ['front'],
    untouched: ['db'],
  })
})
