// External stores, in words. Pure.
import type { Condition, Store } from '../../../src/generated/rest-types.ts'
import type { StateKind } from '../../live/state-kind.ts'

export const providerWords: Readonly<Record<NonNullable<Store['provider']>, string>> = {
  aws: 'AWS Secrets Manager',
  vault: 'Vault or OpenBao',
  onePassword: '1Password Connect',
  infisical: 'Infisical',
  doppler: 'Doppler',
  gcp: 'Google Secret Manager',
  command: 'a program on the controller',
}

const placeOf = (store: Store): string | undefined =>
  store.aws?.region ??
  store.vault?.address ??
  store.one_password?.address ??
  store.infisical?.environment ??
  (store.doppler === undefined ? undefined : `${store.doppler.project}/${store.doppler.config}`) ??
  store.gcp?.project_id ??
  store.command?.name

/** What kind of store, and where it is. */
export const providerText = (store: Store): string => {
  const kind = store.provider === undefined ? 'not synced yet' : providerWords[store.provider]
  const place = placeOf(store)
  return place === undefined ? kind : `${kind}, ${place}`
}

interface StoreState {
  readonly kind: StateKind
  readonly word: string
  /** What is wrong and what to do, in the words of the controller. */
  readonly faults: readonly string[]
}

/** Of these it is a fault that they are true; of the others, that they are false. */
const bad: ReadonlySet<string> = new Set(['Throttled', 'Braked'])

const isFault = ({ type, status }: Condition): boolean =>
  status === (bad.has(type) ? 'True' : 'False')

export const storeState = ({ conditions }: Pick<Store, 'conditions'>): StoreState => {
  const wrong = conditions.filter(isFault)
  const faults = wrong.map(({ message }) => message)
  const has = (type: string): boolean => wrong.some((condition) => condition.type === type)
  if (has('Braked')) return { kind: 'fail', word: 'Deletions held', faults }
  if (has('Ready')) return { kind: 'fail', word: 'Not ready', faults }
  if (has('Fresh')) return { kind: 'fail', word: 'Stale', faults }
  if (has('Throttled')) return { kind: 'wait', word: 'Throttled', faults }
  if (has('Listening')) return { kind: 'wait', word: 'Polling only', faults }
  const isTrue = (type: string): boolean =>
    conditions.some((condition) => condition.type === type && condition.status === 'True')
  if (isTrue('Fresh') && isTrue('Ready')) return { kind: 'ok', word: 'Fresh', faults }
  return { kind: 'unknown', word: 'Not synced yet', faults }
}

export const areDeletionsHeld = ({ conditions }: Pick<Store, 'conditions'>): boolean =>
  conditions.some(({ type, status }) => type === 'Braked' && status === 'True')

/** A credential that was refused is not tried again by itself. */
export const isRejected = ({ conditions }: Pick<Store, 'conditions'>): boolean =>
  conditions.some(({ type, status }) => type === 'Ready' && status === 'False')

/** `12 of 60`. */
export const callsText = ({ calls_per_minute: calls, refresh }: Store): string =>
  `${calls ?? 0} of ${refresh?.max_calls_per_minute ?? 60}`
