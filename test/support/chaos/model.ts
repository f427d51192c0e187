// What is declared, kept apart from the product: which secrets there are, and what each service must
// therefore have. Changes are chosen here, and applied elsewhere.
import type { Random } from '../random.ts'

export const services = ['web', 'api', 'db', 'cache', 'queue', 'worker'] as const
export type Service = (typeof services)[number]

/** Every value begins so: a search finds whatever leaks. */
export const canary = 'canary-of-chaos-'

export interface Secret {
  readonly name: string
  readonly key: string
  readonly scope: string
  readonly type: 'env' | 'file'
  readonly value: string
}

export type Change =
  | { readonly do: 'put'; readonly secret: Secret; readonly isNew: boolean }
  | { readonly do: 'remove'; readonly secret: Secret }

export interface Model {
  readonly secrets: ReadonlyMap<string, Secret>
  /** Chooses a change, and takes it as declared. */
  change(): Change
  /** The environment that a service must have. */
  environmentOf(service: Service): Record<string, string>
  /** Files by target. */
  filesOf(service: Service): Record<string, string>
  /** Everything that a service sees, for comparing. */
  sightOf(service: Service): string
}

const fileTarget = (key: string): string => `/run/chaos/${key.toLowerCase()}`

const keys = ['ALPHA', 'BETA', 'GAMMA'] as const
const fileKeys = ['CERT', 'CONF'] as const

/** Values differ in what has to be escaped, and now and then in their length. */
const createValue = (random: Random): string => {
  const tail = random.pick(['', ' "quoted" $HOME', '\n-----BEGIN-----\nlines', " it's", '🦀 # no'])
  const long = random.once(12) ? 'x'.repeat(random.between(1_000, 60_000)) : ''
  return `${canary}${random.below(2 ** 31).toString(36)}${tail}${long}`
}

export const createModel = (random: Random): Model => {
  const secrets = new Map<string, Secret>()
  const slot = (key: string, scope: string, type: Secret['type']): Secret => {
    const name = `shop-${key.toLowerCase()}.${scope}`
    return { name, key, scope, type, value: createValue(random) }
  }
  const randomSlot = (): Secret =>
    random.once(4)
      ? slot(random.pick(fileKeys), random.pick(services), 'file')
      : slot(random.pick(keys), random.once(5) ? 'global' : random.pick(services), 'env')
  const visible = (service: Service, type: Secret['type']): Secret[] => {
    const own = [...secrets.values()].filter((s) => s.type === type)
    // A service's own secret beats the global one of the same key.
    return [...own.filter((s) => s.scope === 'global'), ...own.filter((s) => s.scope === service)]
  }
  const model: Model = {
    secrets,
    change: () => {
      const present = [...secrets.values()]
      const old = present.length > 0 ? random.pick(present) : undefined
      if (old !== undefined && present.length > 6 && random.once(6)) {
        secrets.delete(old.name)
        return { do: 'remove', secret: old }
      }
      // Once in eight times the value is the one that it has: nothing may happen then.
      const again = old !== undefined && random.once(8) ? old : undefined
      const changed = old !== undefined && !random.once(3) ? old : randomSlot()
      const secret = again ?? { ...changed, value: createValue(random) }
      const isNew = !secrets.has(secret.name)
      secrets.set(secret.name, secret)
      return { do: 'put', secret, isNew }
    },
    environmentOf: (service) =>
      Object.fromEntries(visible(service, 'env').map((s) => [s.key, s.value])),
    filesOf: (service) =>
      Object.fromEntries(visible(service, 'file').map((s) => [fileTarget(s.key), s.value])),
    sightOf: (service) =>
      JSON.stringify([
        Object.entries(model.environmentOf(service)).sort(),
        Object.entries(model.filesOf(service)).sort(),
      ]),
  }
  return model
}

/** As the API takes it. */
export const renderSecret = ({ name, key, scope, type, value }: Secret): object => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'StagelySecret',
  metadata: { name },
  spec: {
    projectRef: { name: 'shop' },
    key,
    scope,
    value,
    ...(type === 'file' ? { type, file: { target: fileTarget(key) } } : {}),
  },
})
