// KV version 2 of Vault and of OpenBao, as their documents describe it.
import type { ProviderBlock } from '../../../src/kinds/secret-store/providers.ts'
import type { Bench } from './bench.ts'
import { Shelf } from './bench.ts'
import { startFront, type Asked, type Reply } from './front.ts'

const said = (status: number, ...errors: string[]): Reply => ({ status, body: { errors } })
const createdAt = (n: number): string => `2026-11-28T12:00:0${n}.123456789Z`

export interface VaultBench extends Bench {
  /** Tokens that it knows, with their lease in seconds. */
  readonly tokens: Map<string, number>
  renewals: number
  /** deletion_time of each version: Vault sets it in advance where the key has delete_version_after. */
  deletionTime: string
}

/** `login`: with AppRole or a JWT in place of a token. */
export const startVault = async (
  login: Partial<ProviderBlock<'vault'>> = {},
  { isPlain = false } = {},
): Promise<VaultBench> => {
  const isLogin = Object.keys(login).length > 0
  const shelf = new Shelf()
  const tokens = new Map([['hvs.good-token', 3600]])
  let logins = 0
  const info = (n: number) => ({
    created_time: createdAt(n),
    deletion_time: bench.deletionTime,
    destroyed: false,
  })

  const kv = ({ path, query }: Asked): Reply => {
    const [, mount, part = '', ...segments] = path.slice(1).split('/')
    const key = segments.map(decodeURIComponent).join('/')
    if (mount !== 'kv') return said(404, `no handler for route "${mount ?? ''}/${part}/${key}"`)
    if (query.has('list')) {
      const names = shelf.keys
        .filter((one) => one.startsWith(key))
        .map((one) => one.slice(key.length).replace(/\/.*$/, '/'))
      return names.length === 0
        ? said(404)
        : { status: 200, body: { data: { keys: [...new Set(names)] } } }
    }
    if (shelf.isForbidden(key)) return said(403, '1 error occurred:\n\t* permission denied\n\n')
    const values = shelf.values(key)
    if (values === undefined) return said(404)
    const versions = Object.fromEntries(values.map((_, i) => [i + 1, info(i + 1)]))
    if (part === 'metadata')
      return { status: 200, body: { data: { current_version: values.length, versions } } }
    const version = Number(query.get('version') ?? values.length)
    const data = values[version - 1]
    if (data === undefined) return said(404)
    return { status: 200, body: { data: { data, metadata: { version, ...info(version) } } } }
  }

  const standIn = (asked: Asked): Reply => {
    const { path, headers, body } = asked
    if (/^\/v1\/auth\/(approle|jwt)\/login$/.test(path)) {
      const given = body['secret_id'] ?? body['jwt']
      if (given !== 'good-secret-id') return said(400, 'invalid role or secret ID')
      const token = `hvs.borrowed-${(logins += 1)}`
      tokens.set(token, 3600)
      const auth = { client_token: token, lease_duration: 3600, renewable: false }
      return { status: 200, body: { auth } }
    }
    const token = String(headers['x-vault-token'])
    const ttl = tokens.get(token)
    if (ttl === undefined) return said(403, 'permission denied')
    switch (path) {
      case '/v1/auth/token/lookup-self':
        return { status: 200, body: { data: { display_name: 'token-shop', ttl, renewable: true } } }
      case '/v1/auth/token/renew-self': {
        bench.renewals += 1
        const auth = { client_token: token, lease_duration: ttl, renewable: true }
        return { status: 200, body: { auth } }
      }
      case '/v1/auth/token/revoke-self':
        tokens.delete(token)
        return { status: 204 }
      default:
        return kv(asked)
    }
  }

  const front = await startFront(standIn, { isPlain })
  const bench: VaultBench = {
    front,
    tokens,
    renewals: 0,
    deletionTime: '',
    spec: ({ ca = !isPlain } = {}) => ({
      vault: { address: front.url, mount: 'kv', ...login, ...(ca ? { caBundle: front.ca } : {}) },
    }),
    credential: isLogin ? 'good-secret-id' : 'hvs.good-token',
    wrongCredential: isLogin ? 'wrong-secret-id' : 'hvs.wrong-token',
    identity: 'token-shop',
    key: (name) => `prod/shop/${name}`,
    put: (key, fields) => {
      shelf.put(key, fields)
      return Promise.resolve(JSON.stringify(fields))
    },
    ...shelf.hands(),
    olderVersion: (key) => String((shelf.values(key) ?? []).length - 1),
    noVersion: '99',
    close: () => front.close(),
  }
  return bench
}
