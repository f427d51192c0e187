import { describe, expect, it } from 'vitest'
import { jsonEntries, yamlEntries } from './structured.ts'
import type { ParsedEntries } from './entries.ts'

const pairs = ({ entries }: ParsedEntries): string[][] =>
  entries.map((e) => [e.key, String(e.value)])

describe('JSON and YAML', () => {
  it('reads a map of keys to texts', () => {
    expect(pairs(jsonEntries('{"A":"1","B":"x\\ny"}'))).toEqual([
      ['A', '1'],
      ['B', 'x\ny'],
    ])
    expect(pairs(yamlEntries('A: "1"\nON: text\nB: |\n  x\n  y\n'))).toEqual([
      ['A', '1'],
      ['ON', 'text'],
      ['B', 'x\ny\n'],
    ])
  })

  it('reads the list that an export writes, with bytes that are no text', () => {
    const secrets = [
      { key: 'PORT', scope: 'web', value: '80' },
      {
        key: 'CERT',
        type: 'file',
        value_base64: '/wA=',
        file_path: './c.pem',
        file_permissions: '0400',
      },
    ]
    const { entries, faults } = jsonEntries(JSON.stringify({ secrets }))
    expect(faults).toEqual([])
    expect(entries[0]).toMatchObject({ key: 'PORT', scope: 'web' })
    expect(entries[1]).toMatchObject({
      fields: { type: 'file', file_path: './c.pem', file_permissions: '0400' },
    })
    expect([...entries[1]!.value!]).toEqual([255, 0])
  })

  it('reads a map of services, each with its keys', () => {
    const read = jsonEntries('{"web":{"A":"1"},"B":"2","db":{}}')
    expect(read.entries.map(({ key, scope, where }) => [key, scope, where])).toEqual([
      ['A', 'web', 'web.A'],
      ['B', undefined, 'B'],
    ])
    const { entries, faults } = yamlEntries('web:\n  A: "hush"\n  B: {C: "hush"}\n  D: 1\n')
    expect(entries.map(({ key, scope }) => [key, scope])).toEqual([['A', 'web']])
    expect(faults.map(({ where }) => where)).toEqual(['web.B', 'web.D'])
  })

  it('refuses what is no text, and says where without a byte of it', () => {
    const { faults } = yamlEntries('A: yes\nB: 0600\nC: "hush"\nD: [hush]\n')
    expect(faults.map((f) => f.where)).toEqual(['A', 'B', 'D'])
    const broken = [
      yamlEntries('A: "hush\nB: {'),
      jsonEntries('{"A": "hush'),
      jsonEntries('"hush"'),
    ]
    for (const { faults: found } of broken) expect(found).toHaveLength(1)
    expect(JSON.stringify([faults, broken])).not.toContain('hush')
    const secrets = [{ key: 'A' }, { key: 'B', value: 'hush', value_base64: 'aHVzaA==' }]
    expect(jsonEntries(JSON.stringify(secrets)).faults.map((f) => f.message)).toEqual([
      'must have one of value, value_base64 and value_from',
      'must have one of value, value_base64 and value_from',
    ])
    const list = [{ key: 'A' }, { key: 'B', value: 1 }, { key: 'C', value: 'x', secrte: 1 }]
    expect(jsonEntries(JSON.stringify(list)).faults.map((f) => f.where)).toEqual([
      'secrets[0]',
      'secrets[1]',
      'secrets[2]',
    ])
  })
})
