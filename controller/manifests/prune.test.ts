import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../src/resources/meta.ts'
import { decidePrune } from './prune.ts'
import type { Scan } from './scan.ts'

const owned = (...names: string[]): KubeObject[] =>
  names.map((name) => ({
    apiVersion: 'stagely.dev/v1alpha1',
    kind: name.startsWith('ns') ? 'Namespace' : 'Project',
    metadata: { name, ...(name.startsWith('ns') ? {} : { namespace: 'default' }) },
  }))

const scan = (declared: string[], broken: string[] = []): Scan => ({
  fingerprint: '',
  documents: [],
  faults: [],
  declared: new Map(declared.map((name) => [`Project/default/${name}`, `${name}.yaml`])),
  brokenFiles: new Set(broken),
})

const known = (...names: string[]): Map<string, string> =>
  new Map(names.map((name) => [`Project/default/${name}`, `${name}.yaml`]))

const removed = (
  has: string[],
  declares: string[],
  more: { broken?: string[]; known?: Map<string, string>; pruneAll?: boolean } = {},
): string[] =>
  decidePrune({
    scan: scan(declares, more.broken),
    owned: owned(...has),
    knownFiles: more.known ?? new Map(),
    pruneAll: more.pruneAll ?? false,
  }).remove.map((object) => object.metadata.name)

describe('decidePrune', () => {
  it('removes what is no longer declared', () => {
    expect(removed(['a', 'b', 'c'], ['a', 'b'])).toEqual(['c'])
  })

  it('keeps what a broken file declared before', () => {
    expect(removed(['a', 'b', 'c'], ['a', 'b'], { broken: ['c.yaml'], known: known('c') })).toEqual(
      [],
    )
  })

  it('removes beside a broken file only what is known to have been in another', () => {
    const broken = ['x.yaml']
    expect(removed(['a', 'b', 'c'], ['a', 'b'], { broken, known: known('c') })).toEqual(['c'])
    expect(removed(['a', 'b', 'c'], ['a', 'b'], { broken })).toEqual([])
  })

  it('holds back when more than half would go, unless told; a single object may go', () => {
    expect(removed(['a', 'b', 'c'], ['a'])).toEqual([])
    expect(removed(['a', 'b', 'c'], ['a'], { pruneAll: true })).toEqual(['b', 'c'])
    expect(removed(['a'], ['z'])).toEqual(['a'])
  })

  it('never removes a namespace', () => {
    expect(removed(['a', 'ns1'], ['a'])).toEqual([])
  })
})
