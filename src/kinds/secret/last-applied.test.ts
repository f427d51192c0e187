import { describe, expect, it } from 'vitest'
import { cleanLastApplied, withoutValue } from './last-applied.ts'

const manifest = {
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'StagelySecret',
  metadata: { name: 'stripe', labels: { team: 'web' } },
  spec: {
    projectRef: { name: 'shop' },
    key: 'CERT',
    scope: 'backend',
    type: 'file',
    file: { path: './cert.pem', uid: 0 },
  },
}

describe('a last-applied annotation of a secret', () => {
  it('keeps what the schema knows, in its order', () => {
    expect(cleanLastApplied(JSON.stringify(manifest))).toBe(`${JSON.stringify(manifest)}\n`)
  })

  it('loses the value, and every field that may be a misspelt or misplaced one', () => {
    const spec = {
      ...manifest.spec,
      value: 'canary',
      valueBase64: 'canary',
      vlaue: 'canary',
      key: ['canary'],
      file: { ...manifest.spec.file, value: 'canary', target: { x: 'canary' } },
    }
    const dirty = { ...manifest, spec, value: 'canary', stringData: { a: 'canary' } }
    const { key: _, ...kept } = manifest.spec
    const clean = cleanLastApplied(JSON.stringify(dirty))
    expect(JSON.parse(clean ?? '')).toEqual({ ...manifest, spec: kept })
    expect(clean).not.toContain('canary')
  })

  it('loses what it says of itself, and metadata that no object has', () => {
    const inner = JSON.stringify({ ...manifest, spec: { ...manifest.spec, value: 'canary' } })
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': inner, note: 'n' }
    const metadata = { ...manifest.metadata, value: 'canary', annotations }
    const clean = cleanLastApplied(JSON.stringify({ ...manifest, metadata }))
    expect(clean).not.toContain('canary')
    expect(JSON.parse(clean ?? '')).toEqual({
      ...manifest,
      metadata: { ...manifest.metadata, annotations: { note: 'n' } },
    })
  })

  it.each(['not json', 'null', '"canary"', '["canary"]'])('is dropped when it is %s', (text) => {
    expect(cleanLastApplied(text)).toBeUndefined()
  })
})

describe('a stored secret', () => {
  const text = JSON.stringify({ ...manifest, spec: { ...manifest.spec, value: 'canary' } })
  const stored = (annotations: Record<string, string>, spec: object = { value: 'canary' }) =>
    withoutValue({ ...manifest, metadata: { name: 'a', annotations }, spec: { ...spec } })

  it.each([
    ['kapp', { 'kapp.k14s.io/original': text, 'kapp.k14s.io/original-diff-md5': 'e4d9' }],
    ['a difference of kapp', { 'kapp.k14s.io/original-diff': '+ value: other-canary' }],
    ['kpt', { 'config.example/applied': text }],
    ['another tool', { 'banzaicloud.com/last-applied': 'UEsDBBQ' }],
    ['a manifest in YAML', { 'a/b': 'spec:\n  key: A\n  value: other-canary\n' }],
    ['a text within a text', { 'a/b': JSON.stringify({ inner: text }) }],
    ['a person who repeats it', { note: 'it is canary now' }],
    ['base64', { note: Buffer.from('canary').toString('base64') }],
  ])('loses an annotation with its value, as of %s', (_, annotations) => {
    expect(stored({ ...annotations, keep: 'me' }).metadata.annotations).toEqual({ keep: 'me' })
  })

  it('keeps annotations that tell nothing', () => {
    const annotations = {
      'kapp.k14s.io/identity': 'v1;default//StagelySecret/a;v1',
      'config.kubernetes.io/depends-on': 'x',
      note: 'of great value: see the wiki',
      short: 'a1b2',
    }
    expect(stored(annotations, { value: 'a1' }).metadata.annotations).toEqual(annotations)
    expect(stored(annotations, {}).spec).toEqual({})
  })
})
