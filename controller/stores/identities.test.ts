import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ProviderSpec } from '../../src/kinds/secret-store/providers.ts'
import { grantedIdentity, readStoreIdentities } from './identities.ts'

const read = (text: string) => readStoreIdentities({ file: undefined, text })
const text = `
reader: { provider: aws, teams: [shop, pay] }
vault: { provider: vault, teams: [shop], address: https://vault.example:8200, credential_file: /run/token }
sops: { provider: command, teams: [shop] }
`
const vaultAt = (address: string): ProviderSpec => ({ vault: { address, mount: 'kv' } })

describe('STAGELY_STORE_IDENTITIES', () => {
  it('may be a text or a file, and not both', async () => {
    expect((await read(text)).map(({ name }) => name)).toEqual(['reader', 'vault', 'sops'])
    expect(await readStoreIdentities({ file: undefined, text: undefined })).toEqual([])
    const dir = mkdtempSync(join(tmpdir(), 'identities-'))
    const file = join(dir, 'identities.yaml')
    writeFileSync(file, text)
    expect(await readStoreIdentities({ file, text: undefined })).toEqual(await read(text))
    await expect(readStoreIdentities({ file, text })).rejects.toThrow('give one of')
    rmSync(dir, { recursive: true })
    await expect(readStoreIdentities({ file, text: undefined })).rejects.toThrow('ENOENT')
  })

  it('is refused with all its faults', async () => {
    const bad = `
a: { provider: aws }
b: { provider: vault, teams: [shop] }
c: { provider: nothing, teams: [] }
d: { provider: aws, teams: [shop], secret: x }
e: { provider: aws, teams: [shop], credential_file: relative }
f: { provider: command, teams: [shop], address: https://x.example }
`
    const error = await read(bad).catch((thrown: unknown) => thrown as Error)
    for (const fault of [
      'a.teams',
      'b.credential_file: is missing: vault knows no identity of a machine',
      'b.address: is missing: the credential is sent nowhere else',
      'c.provider',
      'c.teams',
      'd: ',
      'e.credential_file: must be a whole path',
      'f.address: a program has none',
    ])
      expect((error as Error).message).toContain(fault)
  })
})

describe('an identity of the controller', () => {
  const granted = async (namespace: string, spec: Parameters<typeof grantedIdentity>[2]) =>
    grantedIdentity(await read(text), namespace, spec)

  it('is for the teams that the file names', async () => {
    const spec = { aws: { region: 'eu-central-1' }, auth: { identity: 'reader' } }
    expect(await granted('pay', spec)).toMatchObject({ name: 'reader' })
    for (const call of [
      granted('other', spec),
      granted('pay', { ...spec, auth: { identity: 'unknown' } }),
      granted('pay', { ...vaultAt('https://vault.example:8200'), auth: { identity: 'reader' } }),
    ])
      await expect(call).rejects.toMatchObject({ reason: 'Forbidden' })
  })

  it('sends its credential to its own address alone', async () => {
    const auth = { identity: 'vault' }
    const good = { ...vaultAt('https://vault.example:8200/'), auth }
    expect(await granted('shop', good)).toMatchObject({ credentialFile: '/run/token' })
    const elsewhere = granted('shop', { ...vaultAt('https://evil.example:8200'), auth })
    await expect(elsewhere).rejects.toThrow('for https://vault.example:8200 alone')
    const endpoint = 'https://evil.example'
    const aws = { aws: { region: 'eu-central-1', endpoint }, auth: { identity: 'reader' } }
    await expect(granted('pay', aws)).rejects.toThrow("for the cloud's own address alone")
    const withQueue = (queueUrl: string) =>
      granted('pay', {
        aws: { region: 'eu-central-1' },
        auth: { identity: 'reader' },
        push: { sqs: { queueUrl } },
      })
    const own = 'https://sqs.eu-central-1.amazonaws.com/111122223333/hints'
    expect(await withQueue(own)).toMatchObject({ name: 'reader' })
    for (const url of [
      'https://evil.example/q',
      own.replace('https', 'http'),
      own.replace('.com/', '.com.evil.example/'),
      own.replace('central', 'west'),
    ])
      await expect(withQueue(url)).rejects.toThrow("for the cloud's own address alone")
  })

  it('is not needed with a secret, and a program is always granted', async () => {
    expect(await granted('other', vaultAt('https://any.example'))).toBeUndefined()
    expect(await granted('shop', { command: { name: 'sops' } })).toMatchObject({ name: 'sops' })
    await expect(granted('pay', { command: { name: 'sops' } })).rejects.toThrow(
      'no program "sops" for command is granted to team pay',
    )
  })
})
