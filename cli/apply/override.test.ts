import { parse } from 'yaml'
import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../src/resources/meta.ts'
import { describeOverride } from './override.ts'

const object = (kind: string, name: string, spec: object, status: object): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind,
  metadata: { name, namespace: 'default', uid: `uid-${name}` },
  spec: { projectRef: { name: 'shop' }, ...spec },
  status: { ...status },
})

const secret = (key: string, spec: object): KubeObject =>
  object('StagelySecret', key.toLowerCase(), { key, scope: 'global', ...spec }, { version: 3 })

const services = [
  { name: 'db', keys: [] },
  { name: 'web', wantedDigest: 'd1', keys: ['CA', 'KEY', 'TOKEN'] },
]
const stagelet = object('Stagelet', 'prod', {}, { services })

describe('describeOverride', () => {
  it('shows keys, mounts and digest of the services that see something, and no value', () => {
    const shown = describeOverride(stagelet, [
      secret('TOKEN', { type: 'env' }),
      secret('KEY', { type: 'file', file: { target: '/run/key', envVar: 'KEY_FILE' } }),
      secret('CA', { type: 'file', file: { path: './ca.pem', envVar: 'CA_FILE' } }),
      secret('TOKEN', { type: 'file', projectRef: { name: 'other' } }),
    ])
    expect(shown).toMatch(/^# docker-compose\.stagely\.yml of stagelet\/prod: /)
    expect(shown).toContain('# web: CA, version 3, is mounted wherever the service mounts ./ca.pem')
    expect(parse(shown)).toEqual({
      services: {
        web: {
          environment: {
            TOKEN: '***REDACTED***',
            CA_FILE: '(its path in the container)',
            KEY_FILE: '/run/key',
          },
          volumes: [
            {
              type: 'bind',
              source: '/run/stagely/uid-prod/(digest of version 3)',
              target: '/run/key',
              read_only: true,
              bind: { create_host_path: false },
            },
          ],
          labels: { 'dev.stagely.digest': 'd1' },
        },
      },
    })
  })

  it('follows precedence: what the stagelet has of its own wins', () => {
    const shown = describeOverride(stagelet, [
      secret('KEY', { type: 'env' }),
      secret('KEY', { type: 'file', file: { target: '/own' }, stageletRef: { name: 'prod' } }),
      secret('KEY', { type: 'env', stageletRef: { name: 'another' }, scope: 'web' }),
    ])
    expect(shown).toContain('target: "/own"')
    expect(shown).not.toContain('"KEY":')
  })

  it('shows what the environment of the stagelet sees', () => {
    const inPreview = object('Stagelet', 'pr-42', { environment: 'preview' }, { services })
    const shown = describeOverride(inPreview, [
      secret('KEY', { type: 'file', file: { target: '/preview' }, environments: ['preview'] }),
      secret('KEY', { type: 'env', scope: 'web' }),
      secret('KEY', { type: 'env', scope: 'web', environments: ['production'] }),
    ])
    expect(shown).toContain('target: "/preview"')
    expect(shown).not.toContain('"KEY":')
  })

  it('says so where no agent has told of the services', () => {
    expect(() => describeOverride(object('Stagelet', 'new', {}, {}), [])).toThrow(
      'the services of stagelet new are not known yet',
    )
  })
})
