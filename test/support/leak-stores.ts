// A store elsewhere whose answers hold values that must be nowhere: one that a secret takes, others beside
// it, one that is refused, and what a store says on bad days.
import { startVault } from './stores/vault.ts'
import type { Weather } from './stores/front.ts'

const taken = 'canary-of-a-store-3b7d'
const beside = 'canary-beside-the-taken-1f90'
const refused = 'canary-that-is-no-port-77aa'
const inFault = 'canary-of-a-bad-day-c2ee'
const token = 'hvs.canary-token-of-the-store-e410'

export const storeCanaries = [taken, beside, refused, inFault, token]

const secretOf = (name: string, spec: string): string => `---
apiVersion: stagely.dev/v1alpha1
kind: StagelySecret
metadata: {name: ${name}}
spec: {projectRef: {name: elsewhere}, key: ${name.toUpperCase().replaceAll('-', '_')}, ${spec}}
`

const badDays: readonly Weather[] = [
  { status: 500, body: `failed for ${inFault}`, headers: { 'x-why': inFault } },
  { status: 200, body: `<html>${inFault}` },
  { status: 404, body: inFault },
  'truncated',
]

export interface LeakStore {
  /** For STAGELY_EGRESS_ALLOW. */
  readonly address: string
  /** Of a project that no stagelet has. */
  readonly manifests: string
  /** Works once for each bad day of the store; its values have new versions then. */
  onBadDays(work: () => Promise<void>): Promise<void>
  close(): Promise<void>
}

export const startLeakStore = async (): Promise<LeakStore> => {
  const vault = await startVault({}, { isPlain: true })
  vault.tokens.set(token, 3600)
  await vault.put('prod/db', { password: taken, other: beside, port: refused })
  const { address } = vault.spec().vault!
  const external = (property: string): string =>
    `valueFrom: {external: {store: leaky, key: prod/db, property: ${property}}}`
  return {
    address: new URL(address).host,
    manifests:
      `---
apiVersion: stagely.dev/v1alpha1
kind: Project
metadata: {name: elsewhere}
---
apiVersion: stagely.dev/v1alpha1
kind: SecretStore
metadata: {name: leaky}
spec:
  vault: {address: "${address}", mount: kv}
  auth: {secretRef: {name: leaky-token}}
  allow: {projects: [elsewhere], remote: ["prod/*"]}
  refresh: {every: 10h}
` +
      secretOf('leaky-token', `audience: Controller, value: ${token}`) +
      secretOf('stored', external('/password')) +
      secretOf('stored-port', `format: port, ${external('/port')}`),
    onBadDays: async (work) => {
      for (const weather of badDays) {
        vault.front.weather = weather
        await vault.put('prod/db', { password: taken, other: beside, port: refused })
        await work()
      }
    },
    close: () => vault.close(),
  }
}
