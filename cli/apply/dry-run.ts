// What a write would do, for people: a line for each object, then whom it reaches.
import type { ReviewStatus } from '../../src/manifests/review.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { fullName, servedKind } from '../output/kinds.ts'
import { renderWidened } from './reach.ts'
import { renderAffected } from './review.ts'
import { valuesToCome } from './values-to-come.ts'

const words = { Create: 'created', Update: 'configured', Unchanged: 'unchanged' }

export const renderDryRun = (review: ReviewStatus, objects: readonly KubeObject[]): string =>
  [
    ...review.changes.map(
      ({ kind, name, action }) => `${fullName(servedKind(kind), name)} ${words[action]} (dry run)`,
    ),
    ...renderAffected(review, valuesToCome(review.changes, objects)),
    ...renderWidened(review.widened),
  ].join('\n')
