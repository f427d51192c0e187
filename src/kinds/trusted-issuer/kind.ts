import { age, date, text } from '../../resources/columns.ts'
import { defineKind } from '../../resources/define-kind.ts'
import { names } from './names.ts'
import { trustedIssuerSpec, trustedIssuerStatus, checkTrustedIssuer } from './schema.ts'

export const trustedIssuer = defineKind({
  names,
  spec: trustedIssuerSpec,
  status: trustedIssuerStatus,
  check: checkTrustedIssuer,
  columns: [
    text('Issuer', '.spec.issuer', 'Whose tokens are taken.'),
    text('Audience', '.spec.audience', 'For whom they must be.'),
    date('Last', '.status.lastExchangeAt', 'When a job last got a token by it.'),
    age,
  ],
})
