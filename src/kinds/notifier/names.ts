import { stagelyKind, type KindNames } from '../../resources/kind-names.ts'

export const names = {
  ...stagelyKind,
  kind: 'Notifier',
  plural: 'notifiers',
  singular: 'notifier',
  shortNames: ['ntf'],
  description: 'Tells people what happened: by a webhook, in a chat, or by e-mail.',
  applyOrder: 5,
  rest: { word: 'notifier', list: 'notifiers', id: 'ntf' },
  form: true,
  conditions: { Delivering: 'good' },
} as const satisfies KindNames
