import { stagelyKind, type KindNames } from '../../resources/kind-names.ts'

export const names = {
  ...stagelyKind,
  kind: 'AccessRequest',
  plural: 'accessrequests',
  singular: 'accessrequest',
  shortNames: ['areq'],
  // Only some may list them: a list of a category would fail for the others.
  categories: [],
  description: 'A person asks to read guarded values for a while. Its spec never changes.',
  selectableFields: ['spec.projectRef.name'],
  ofApiAlone: true,
  applyOrder: 9,
  rest: { word: 'request', list: 'access-requests', id: 'areq', event: 'access_request' },
} as const satisfies KindNames
