import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  applyMergePatch,
  applyPatch,
  lastAppliedOf,
  threeWayPatch,
  withLastApplied,
} from './merge.ts'
import { annotations, type KubeObject } from '../resources/meta.ts'

const secret = (spec: Record<string, unknown>): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'StagelySecret',
  metadata: { name: 'a', namespace: 'default' },
  spec,
})

describe('threeWayPatch', () => {
  const cases: Record<string, [unknown, Record<string, unknown>, unknown, unknown]> = {
    'adds what is new': [{}, { a: 1 }, {}, { a: 1 }],
    'changes what differs': [{ a: 1 }, { a: 2 }, { a: 1 }, { a: 2 }],
    'removes what was applied and is not wanted now': [
      { a: 1, b: 1 },
      { a: 1 },
      { a: 1, b: 1 },
      { b: null },
    ],
    'keeps what only the server has': [{ a: 1 }, { a: 1 }, { a: 1, b: 2 }, {}],
    'does not remove what is gone already': [{ a: 1, b: 1 }, { a: 1 }, { a: 1 }, {}],
    'works inside maps': [
      { m: { x: 1, y: 1 } },
      { m: { x: 2 } },
      { m: { x: 1, y: 1, z: 1 } },
      { m: { x: 2, y: null } },
    ],
    'replaces lists whole': [{ l: [1, 2] }, { l: [2] }, { l: [1, 2] }, { l: [2] }],
    'reads a null in the manifest as absent': [
      {},
      { a: null, m: { b: null } },
      { a: 1 },
      { a: null, m: {} },
    ],
  }
  for (const [sentence, [before, wanted, current, patch]] of Object.entries(cases)) {
    it(sentence, () => {
      expect(threeWayPatch(before, wanted, current)).toEqual(patch)
    })
  }

  it('leads to what is wanted, and a second time to nothing', () => {
    const leaf = fc.oneof(
      fc.integer({ min: 0, max: 3 }),
      fc.constantFrom('x', 'y'),
      fc.array(fc.nat(2)),
    )
    const map = fc.dictionary(
      fc.constantFrom('a', 'b', 'c'),
      fc.oneof(leaf, fc.dictionary(fc.constantFrom('d', 'e'), leaf)),
    )
    fc.assert(
      fc.property(map, map, map, (before, wanted, current) => {
        const after = applyMergePatch(current, threeWayPatch(before, wanted, current))
        expect(threeWayPatch(wanted, wanted, after)).toEqual({})
        for (const key of Object.keys(before)) {
          if (!(key in wanted)) expect(after).not.toHaveProperty(key)
        }
      }),
    )
  })
})

describe('applyPatch', () => {
  it('is empty for what was applied before, whatever the server added', () => {
    const manifest: KubeObject = {
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'Project',
      metadata: { name: 'a', namespace: 'default', labels: { x: '1' } },
      spec: {},
    }
    const live = withLastApplied(manifest)
    live.metadata = { ...live.metadata, uid: 'u', resourceVersion: '7', generation: 1 }
    live.status = { revision: 3 }
    expect(applyPatch(manifest, live)).toEqual({})
  })

  it('always sends the value of a secret, which is never read back', () => {
    const manifest = secret({ key: 'K', value: 'v' })
    const live = withLastApplied(secret({ key: 'K' }))
    expect(applyPatch(manifest, live)).toEqual({ spec: { value: 'v' } })
  })

  it('keeps annotations of others', () => {
    const manifest = secret({ key: 'K' })
    const live = withLastApplied(manifest)
    live.metadata.annotations = { ...live.metadata.annotations, [annotations.redeploy]: 'now' }
    expect(applyPatch(manifest, live)).toEqual({})
  })
})

describe('lastAppliedOf', () => {
  it('holds no secret value, no status and not itself', () => {
    const manifest = secret({ key: 'K', value: 'canary-1', valueBase64: 'canary-2' })
    manifest.metadata.annotations = { [annotations.lastApplied]: 'canary-3', keep: 'me' }
    manifest.status = { version: 4 }
    const text = lastAppliedOf(manifest)
    expect(text).not.toContain('canary')
    expect(JSON.parse(text)).toEqual({
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'StagelySecret',
      metadata: { name: 'a', namespace: 'default', annotations: { keep: 'me' } },
      spec: { key: 'K' },
    })
  })
})
