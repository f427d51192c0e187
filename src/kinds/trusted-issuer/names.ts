import { stagelyKind, type KindNames } from '../../resources/kind-names.ts'

export const names = {
  ...stagelyKind,
  kind: 'TrustedIssuer',
  plural: 'trustedissuers',
  singular: 'trustedissuer',
  shortNames: ['issuer'],
  description: 'Lets jobs of a CI log in by the tokens that it gives them.',
  applyOrder: 5,
  rest: { word: 'issuer', list: 'issuers', id: 'iss' },
  form: true,
} as const satisfies KindNames
