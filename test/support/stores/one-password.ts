// A Connect server of 1Password, as its documents describe it.
import { createHash } from 'node:crypto'
import type { Bench } from './bench.ts'
import { Shelf } from './bench.ts'
import { startFront, type Reply } from './front.ts'

const said = (status: number, message: string): Reply => ({ status, body: { status, message } })
/** 26 letters and digits, as all IDs of 1Password are. */
const idOf = (text: string): string =>
  BigInt(`0x${createHash('sha256').update(text).digest('hex')}`)
    .toString(36)
    .slice(0, 26)

export const startOnePassword = async (): Promise<
  Bench & { readonly ids: (key: string) => string; readonly shelf: Shelf }
> => {
  const shelf = new Shelf()
  const vaults = ['shop', 'other'].map((name) => ({ id: idOf(name), name }))
  const overview = (key: string) => {
    // "twice" and "twice/" are two items of one title.
    const [vault = '', title = ''] = key.split('/')
    const version = (shelf.values(key) ?? []).length
    return { id: idOf(key), title, version, vault: { id: idOf(vault) }, category: 'LOGIN' }
  }
  const standIn = ({ path, headers }: { path: string; headers: object }): Reply => {
    if ((headers as { authorization?: string }).authorization !== 'Bearer good-connect-token')
      return said(401, 'Invalid token signature')
    const [, , , vaultId, , itemId] = path.split('/')
    if (vaultId === undefined) return { status: 200, body: vaults }
    if (!vaults.some(({ id }) => id === vaultId)) return said(403, 'vault is not in scope')
    const inside = shelf.keys.filter((key) => idOf(key.split('/')[0]!) === vaultId)
    if (itemId === undefined) return { status: 200, body: inside.map(overview) }
    const key = inside.find((one) => idOf(one) === itemId)
    if (key === undefined) return said(404, 'Item not found')
    const fields = Object.entries(shelf.values(key)!.at(-1)!).map(([label, value]) => {
      const [section, own] = label.includes('.') ? label.split('.') : [undefined, label]
      const within = section === undefined ? {} : { section: { id: idOf(section), label: section } }
      return { id: idOf(label), label: own, value, ...within }
    })
    return { status: 200, body: { ...overview(key), fields: [...fields, { id: 'notesPlain' }] } }
  }
  const front = await startFront(standIn)
  return {
    front,
    shelf,
    ids: idOf,
    spec: ({ ca = true } = {}) => ({
      onePassword: { address: front.url, ...(ca ? { caBundle: front.ca } : {}) },
    }),
    credential: 'good-connect-token',
    wrongCredential: 'wrong-connect-token',
    identity: 'a token for other, shop',
    key: (name) => (name === 'hidden' ? 'not-in-scope/hidden' : `shop/${name}`),
    put: (key, fields) => {
      shelf.put(key, fields)
      return Promise.resolve(JSON.stringify(fields))
    },
    ...shelf.hands(),
    olderVersion: undefined,
    noVersion: '99',
    close: () => front.close(),
  }
}
