// What a provider gets when it is opened.
import type { Clock } from '../../src/kernel/clock.ts'
import type { Egress } from '../egress/gate.ts'
import type { StoreHttp } from './http.ts'

export interface StoreOpening {
  readonly clock: Clock
  readonly egress: Egress
  /** Waited for before each call that does not go by `http`. */
  readonly spend: (signal: AbortSignal) => Promise<void>
  /** Calls to one address; `name` is the store in words. */
  readonly http: (to: { name: string; address: string; ca?: string | undefined }) => StoreHttp
  /** True: the cloud's own way of this machine, which the operator has granted, counts. */
  readonly isOwn: boolean
  /** False: the spec names none, which only a program can do without. */
  readonly hasCredential: boolean
  /** A secret of this process, for marks of values. */
  readonly keyOfProcess: string
  /** The credential as it is now; StoreFault Unauthorized where there is none. */
  readonly credential: () => Promise<string>
}
