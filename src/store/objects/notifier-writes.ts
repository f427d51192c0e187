// Checks of a Notifier that is written: whom the operator of the controller lets get mail.
import type { Fault } from '../../kernel/errors.ts'
import { foreignTo, type NotifierSpec } from '../../resources/kinds/notifier.ts'
import { refOf, type KubeObject } from '../../resources/meta.ts'
import { specOf } from '../../resources/typed.ts'
import { invalid } from '../core/errors.ts'
import type { WriteSession } from '../core/write-session.ts'

/** Each address of another domain, by its place. */
export const addressFaults = (
  { email: { to } = { to: [] } }: Pick<NotifierSpec, 'email'>,
  domains: readonly string[] | undefined,
): Fault[] => {
  const foreign = new Set(foreignTo(domains, to))
  return to.flatMap((address, n) =>
    foreign.has(address)
      ? [
          {
            field: `spec.email.to[${n}]`,
            reason: 'FieldValueForbidden',
            message: `Forbidden: mail goes to ${(domains ?? []).join(', ')} alone (STAGELY_SMTP_DOMAINS): name an address there, or ask whoever runs the controller to add the domain`,
          },
        ]
      : [],
  )
}

/** Invalid where one is of another domain. A Notifier that was stored before gets no mail there either: see mail.ts. */
export const checkAddresses = ({ deps }: WriteSession, object: KubeObject): void => {
  const faults = addressFaults(specOf('Notifier', object), deps.mailDomains)
  if (faults.length > 0) throw invalid(refOf(object), faults)
}
