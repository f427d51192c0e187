import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ConfigError } from '../config-error.ts'
import { readProjectKeys } from './project-keys.ts'

const noVault = { endpoint: undefined, token: undefined, tokenFile: undefined }

describe('STAGELY_KEY_PROVIDERS_FILE', () => {
  let dir: string
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'stagely-project-keys-'))
    writeFileSync(join(dir, 'cards.key'), `${Buffer.alloc(32, 3).toString('base64')}\n`)
  })
  afterAll(() => {
    rmSync(dir, { recursive: true })
  })
  const read = (
    text: string,
    vault: object = {},
    services: Parameters<typeof readProjectKeys>[0]['services'] = [],
  ): ReturnType<typeof readProjectKeys> => {
    const path = join(dir, 'keys.yaml')
    writeFileSync(path, text)
    return readProjectKeys({
      providersFile: path,
      providers: undefined,
      services,
      vault: { ...noVault, ...vault },
    })
  }
  const faultsOf = async (...given: Parameters<typeof read>): Promise<readonly string[]> => {
    const error = await read(...given).then(
      () => undefined,
      (e: unknown) => e as ConfigError,
    )
    return (error?.faults ?? []).map((fault) => fault.replaceAll(dir, 'DIR'))
  }

  it('names a key of each provider, with the teams that may use it', async () => {
    const text = `
cards: { provider: key-file, file: ${dir}/cards.key, teams: [payments] }
aws: { provider: aws-kms, key: "arn:aws:kms:eu-central-1:111122223333:key/mrk-1" }
gcp: { provider: gcp-kms, key: projects/p/locations/l/keyRings/r/cryptoKeys/k }
vault: { provider: vault-transit, key: transit/cards, token_file: /run/token, namespace: a }
`
    const keys = await read(text, { endpoint: 'https://vault.example.com' })
    expect(keys.map(({ name, teams, settings }) => [name, teams, settings.provider])).toEqual([
      ['cards', ['payments'], 'key-file'],
      ['aws', undefined, 'aws-kms'],
      ['gcp', undefined, 'gcp-kms'],
      ['vault', undefined, 'vault-transit'],
    ])
    expect(keys[3]?.settings).toMatchObject({
      endpoint: 'https://vault.example.com',
      tokenFile: '/run/token',
    })
  })

  it('tells all that is wrong with it', async () => {
    expect(
      await faultsOf(`
Cards: { provider: key-file, file: x }
a: { provider: local }
b: { provider: gcp-kms, key: k }
c: { provider: aws-kms, key: "arn:aws:kms:eu-central-1:111122223333:key/1", secret: s }
`),
    ).toEqual([
      expect.stringMatching(/^DIR\/keys\.yaml: Cards: /),
      expect.stringMatching(/^DIR\/keys\.yaml: a\.provider: /),
      expect.stringMatching(/^DIR\/keys\.yaml: b\.key: must be projects\/P/),
      expect.stringMatching(/^DIR\/keys\.yaml: c: .*secret/),
    ])
    expect(
      await faultsOf(`
a: { provider: key-file, file: ${dir}/none }
b: { provider: vault-transit, key: transit/cards }
`),
    ).toEqual([
      'DIR/keys.yaml: a: DIR/none does not exist',
      'DIR/keys.yaml: b: endpoint is missing, and VAULT_ADDR too',
    ])
  })

  it('names one key for good, and shows no token to whom it is not for', async () => {
    const vault = { endpoint: 'https://vault.example.com', token: 't' }
    expect(
      await faultsOf(
        `
a: { provider: aws-kms, key: alias/cards }
b: { provider: vault-transit, key: transit/b, endpoint: "https://u:p@vault.example.com" }
`,
        vault,
      ),
    ).toEqual([
      expect.stringMatching(/^DIR\/keys\.yaml: a\.key: must be the ARN of a key/),
      expect.stringMatching(/^DIR\/keys\.yaml: b\.endpoint: must hold no user/),
    ])
    expect(
      await faultsOf(
        'b: { provider: vault-transit, key: transit/b, endpoint: "https://other.example.com" }',
        vault,
      ),
    ).toEqual([expect.stringMatching(/^DIR\/keys\.yaml: b: token_file is missing: VAULT_TOKEN/)])
  })

  it('refuses keys of two Vaults that have one name, also that of the master key', async () => {
    const of = (host: string): string =>
      `{ provider: vault-transit, key: transit/k, endpoint: "https://${host}", token_file: /t }`
    expect(await faultsOf(`a: ${of('one')}\nb: ${of('one')}\nc: ${of('two')}`)).toEqual([
      expect.stringMatching(/^DIR\/keys\.yaml: c: key transit\/k is that of a in another Vault/),
    ])
    const master = { provider: 'vault-transit', key: 'transit/k', endpoint: 'https://m' } as const
    expect(await faultsOf(`a: ${of('one')}`, {}, [master])).toEqual([
      expect.stringMatching(/that of the master key in another Vault/),
    ])
  })

  it('may be text in the environment, and is not needed', async () => {
    const given = { providersFile: undefined, vault: noVault, services: [] }
    expect(await readProjectKeys({ ...given, providers: undefined })).toEqual([])
    const providers =
      'aws: { provider: aws-kms, key: "arn:aws:kms:eu-central-1:111122223333:key/1" }'
    expect(await readProjectKeys({ ...given, providers })).toHaveLength(1)
    await expect(readProjectKeys({ ...given, providersFile: 'x', providers })).rejects.toThrow(
      /one of STAGELY_KEY_PROVIDERS and/,
    )
  })
})
