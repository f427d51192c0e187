// Values that are known to people who may not read them any more: the status of the secret says so, from which its
// condition RotationDue follows. Looks when the right to read values changes, and once an hour.
import { toTimestamp, type Clock } from '../src/kernel/clock.ts'
import type { Logger } from '../src/kernel/log.ts'
import { mapYielding } from '../src/kernel/async/map-yielding.ts'
import { refOf, type KubeObject } from '../src/resources/meta.ts'
import type { SecretStatus } from '../src/kinds/secret/schema.ts'
import { waitFor, type ReconcileOutcome } from '../src/runtime/control-loop.ts'
import { startSingleLoop } from '../src/runtime/single-loop.ts'
import type { AuditLog } from '../src/store/audit/audit-log.ts'
import type { Readers } from '../src/store/audit/former-readers.ts'
import type { PrincipalStore } from '../src/store/people/principals.ts'
import type { Store, Transaction } from '../src/store/store.ts'
import { reconcilerActor } from './reconcilers/actor.ts'

interface OffBoardingDeps {
  readonly store: Store
  readonly audit: Pick<AuditLog, 'readers' | 'knownOutside'>
  readonly principals: Pick<PrincipalStore, 'onChange'>
  readonly clock: Clock
  readonly log: Logger
}

/** An older value comes back without a change of rights, and a token of an emergency ends by itself. */
const idleMs = 3_600_000
const retryMs = 30_000
const settleMs = 200
const inOneWrite = 100

const statusOf = ({ status }: KubeObject): SecretStatus => status ?? {}

/** `people` undefined: no row of the log tells of the value, as old rows are pruned. What was known stays. */
const withPeople = (
  status: SecretStatus,
  people: number | undefined,
  now: string,
): SecretStatus => {
  const { knownOutside: before, ...rest } = status
  if (people === undefined || people === (before?.people ?? 0)) return status
  if (people === 0) return rest
  return { ...rest, knownOutside: { people, since: before?.since ?? now } }
}

const note = async (
  tx: Transaction,
  secret: KubeObject,
  change: (status: SecretStatus) => SecretStatus,
): Promise<void> => {
  const current = await tx.get(refOf(secret))
  const isSame =
    current?.metadata.uid === secret.metadata.uid &&
    statusOf(current!).version === statusOf(secret).version
  if (isSame) await tx.setStatus({ ...current!, status: { ...change(statusOf(current!)) } })
}

const noteReaders = async (
  { store, audit, clock }: OffBoardingDeps,
  readers: Readers,
): Promise<void> => {
  // Before the log is read: a version that comes meanwhile is not taken for the one that was.
  const rows = await store.listRows('StagelySecret')
  const readSecrets = await audit.knownOutside(readers)
  const now = toTimestamp(clock.now())
  const changeOf =
    (uid: string) =>
    (status: SecretStatus): SecretStatus =>
      withPeople(status, readSecrets.get(uid), now)
  const changed: KubeObject[] = []
  // To parse all secrets of a large store takes longer than its lease lasts.
  await mapYielding(rows, (row) => {
    const mayChange = (readSecrets.get(row.uid) ?? 0) > 0 || row.text.includes('"knownOutside"')
    if (!mayChange) return
    const status = statusOf(row.object)
    if (changeOf(row.uid)(status) !== status) changed.push(row.object)
  })
  for (let first = 0; first < changed.length; first += inOneWrite)
    await store.write(reconcilerActor, {}, async (tx) => {
      for (const secret of changed.slice(first, first + inOneWrite))
        await note(tx, secret, changeOf(secret.metadata.uid ?? ''))
    })
}

export const startOffBoarding = (deps: OffBoardingDeps): { stop(): Promise<void> } => {
  const { audit, principals, clock, log } = deps
  let lastReaders: string | undefined
  let lookAt = 0
  const run = async (signal: AbortSignal): Promise<ReconcileOutcome> => {
    try {
      const readers = await audit.readers(clock.now())
      // Logins change rights too, and few of them those.
      const text = JSON.stringify(readers)
      if (text !== lastReaders || clock.now() >= lookAt) {
        await noteReaders(deps, readers)
        lastReaders = text
        lookAt = clock.now() + idleMs
      }
      return waitFor(lookAt - clock.now())
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'who has read values is not looked after')
      return waitFor(retryMs)
    }
  }
  const loop = startSingleLoop(deps, { name: 'off-boarding', settleMs, run })
  const stopListening = principals.onChange(loop.schedule)
  loop.runNow()
  return {
    stop: async () => {
      stopListening()
      await loop.stop()
    },
  }
}
