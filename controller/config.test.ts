import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigError, HelpAsked } from './config-error.ts'
import { parseConfig } from './config.ts'

const key = Buffer.alloc(32, 7).toString('base64')

const faultsOf = (argv: string[], env: Record<string, string> = {}): readonly string[] => {
  try {
    parseConfig(argv, env)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  return []
}

describe('parseConfig', () => {
  it('reads flags and environment', () => {
    const argv = '--data-dir d --listen [::]:9000 --tls-san a b --tls-san c --manifests m'.split(
      ' ',
    )
    expect(parseConfig(argv, { STAGELY_SECRET_KEY: key })).toMatchObject({
      dataDir: resolve('d'),
      host: '::',
      port: 9000,
      tlsSans: ['a', 'b', 'c'],
      manifestsDir: resolve('m'),
      keys: { provider: 'local', secretKey: Buffer.alloc(32, 7), services: [] },
      logLevel: 'info',
    })
  })

  it('reads where the role of a group counts, whatever signs are in the name of the group', () => {
    const oidc = ['--oidc-issuer', 'https://id.example.com', '--oidc-client-id', 'stagely']
    const groupsOf = (text: string): unknown =>
      parseConfig(['--data-dir', 'd', ...oidc, '--oidc-group', text], { STAGELY_SECRET_KEY: key })
        .oidc?.groups
    const group = 'cn=dev:eu'
    const grant = { group, team: 'crew', role: 'developer' }
    expect(groupsOf(`${group}=crew:developer`)).toEqual([grant])
    expect(
      groupsOf(`${group}=crew:developer:project=shop:project=bank:environment=preview`),
    ).toEqual([{ ...grant, narrowing: { projects: ['shop', 'bank'], environments: ['preview'] } }])
    expect(
      faultsOf(['--data-dir', 'd', ...oidc, '--oidc-group', 'dev=crew:developer:place=shop'], {
        STAGELY_SECRET_KEY: key,
      })[0],
    ).toContain(':project=shop:environment=preview')
  })

  it('reports every fault at once', () => {
    const faults = faultsOf(
      ['--listen', '0.0.0.0:99999', '--advertise-url', 'nope', '--insecure-http', '--what'],
      {
        STAGELY_SECRET_KEY: 'short',
        STAGELY_LOG_LEVEL: 'loud',
        STAGELY_OIDC_ISSUER: 'https://id.example.com',
        STAGELY_OIDC_PROOF: 'none',
        STAGELY_KEY_ROTATION: 'yes',
        DATABASE_URL: 'mysql://u:canary@h/d',
      },
    )
    for (const part of [
      '--what',
      '--data-dir',
      '--listen',
      '--advertise-url',
      '--insecure-http',
      'STAGELY_SECRET_KEY',
      'STAGELY_LOG_LEVEL',
      'STAGELY_OIDC_PROOF',
      'STAGELY_KEY_ROTATION must be auto or off',
      'DATABASE_URL',
    ])
      expect(faults.join('\n')).toContain(part)
    expect(faults.join('\n')).not.toContain('canary')
  })

  it('refuses an external database without a managed key, and names the remedy', () => {
    const faults = faultsOf(['--data-dir', 'd'], { DATABASE_URL: 'postgres://h/d' })
    expect(faults).toHaveLength(1)
    expect(faults[0]).toContain('openssl rand -base64 32')
  })

  it('takes plain HTTP on loopback only', () => {
    expect(faultsOf(['--data-dir', 'd', '--insecure-http'])).toEqual([])
    expect(
      faultsOf(['--data-dir', 'd', '--insecure-http', '--listen', '10.0.0.1:80']),
    ).toHaveLength(1)
  })

  it('gives help with examples', () => {
    expect(() => parseConfig(['--help'], {})).toThrow(HelpAsked)
    expect(() => parseConfig(['--help'], {})).toThrow(/Examples:/)
  })
})
