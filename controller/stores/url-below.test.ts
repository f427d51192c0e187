import { expect, it } from 'vitest'
import { decodeObject } from '../../src/kinds/decode.ts'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import { storeHttp, urlBelow, type CallDeps } from './http.ts'

it.each([
  ['https://vault:8200', '/v1/secret/data/shop%2Fdb?version=1'],
  ['https://vault:8200/', '/v1/secret/data/..shop/a..b'],
  ['https://proxy/vault', '/v1/secret/metadata/?list=true'],
  ['https://secretmanager.googleapis.com', '/v1/projects/shop/secrets?filter=a/../b'],
])('%s%s is below its address', (address, path) => {
  expect(urlBelow(address, path)).toBe(`${address.replace(/\/$/, '')}${path}`)
})

it.each([
  '/v1/../../evil/data/db',
  '/v1/secret/data/..',
  '/v1/./secret',
  '/v1/%2e%2E/evil',
  '/v1/.%2e/evil',
  '/v1/..\\evil',
  '/v1/.\t./evil',
  '/v1/.\n./evil',
  '@evil.example.com/v1',
  '.evil.example.com/v1',
  ':9999/v1',
  '/../other',
])('%j is not asked for', async (path) => {
  const calls: string[] = []
  const call = ({ url }: { url: string }): Promise<never> => {
    calls.push(url)
    return Promise.reject(new Error('called'))
  }
  const deps = { egress: { call }, clock: createFakeClock() } as unknown as CallDeps
  for (const address of ['https://vault:8200', 'https://proxy/vault']) {
    expect(urlBelow(address, path)).toBeUndefined()
    const asked = storeHttp(deps, { name: 'vault', address })(
      { path },
      new AbortController().signal,
    )
    await expect(asked).rejects.toThrow('a path that leaves its address is not asked for')
  }
  expect(calls).toEqual([])
})

const faultsOf = (block: object): unknown => {
  const base = {
    auth: { secretRef: { name: 'token' } },
    allow: { projects: ['shop'], remote: ['*'] },
  }
  const read = decodeObject({
    apiVersion: 'stagely.dev/v1alpha1',
    kind: 'SecretStore',
    metadata: { name: 'one', namespace: 'default' },
    spec: { ...base, ...block },
  })
  return 'faults' in read ? read.faults.map(({ field }) => field) : []
}
const address = 'https://vault:8200'

it.each([
  [{ vault: { address, mount: '../../evil' } }, 'spec.vault.mount'],
  [{ vault: { address, mount: 'a/..' } }, 'spec.vault.mount'],
  [{ vault: { address, mount: '.' } }, 'spec.vault.mount'],
  [{ vault: { address, appRole: { roleId: 'r', mount: '../x' } } }, 'spec.vault.appRole.mount'],
  [{ vault: { address, jwt: { role: 'r', mount: './x' } } }, 'spec.vault.jwt.mount'],
  [{ gcp: { projectId: '..' } }, 'spec.gcp.projectId'],
])('%j is refused', (block, field) => {
  expect(faultsOf(block)).toContain(field)
})

it.each([
  [{ vault: { address, mount: '.hidden/kv-2' } }],
  [{ vault: { address, mount: 'teams/shop.v1' } }],
  [{ gcp: { projectId: 'shop-1' } }],
])('%j is taken', (block) => {
  expect(faultsOf(block)).toEqual([])
})
