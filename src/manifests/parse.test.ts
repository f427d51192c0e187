import { describe, expect, it } from 'vitest'
import { isComposeFile } from './documents.ts'
import { parseManifests } from './parse.ts'

const project = (name: string): string =>
  `apiVersion: stagely.dev/v1alpha1\nkind: Project\nmetadata:\n  name: ${name}\n`

const names = (text: string): string[] =>
  parseManifests(text, 'a.yaml').documents.map((d) => d.object.metadata.name)

describe('parseManifests', () => {
  it('tells a Compose file from a manifest', () => {
    const compose = [
      'services: {}\n',
      '# x\nname: shop\n\ninclude:\n  - a.yaml\n',
      '"services": {}\n',
    ]
    expect(compose.map(isComposeFile)).toEqual([true, true, true])
    const others = [
      project('a'),
      `${project('a')}---\nservices: {}\n`,
      'spec:\n  services: {}\n',
      '',
    ]
    expect(others.map(isComposeFile)).toEqual([false, false, false, false])
  })

  it('reads several documents, and skips those with only comments', () => {
    const text = `# first\n---\n${project('a')}---\n# nothing\n---\n${project('b')}...\n---\n`
    const { documents, faults } = parseManifests(text, 'a.yaml')
    expect(faults).toEqual([])
    expect(documents.map((d) => [d.object.metadata.name, d.line])).toEqual([
      ['a', 3],
      ['b', 10],
    ])
  })

  it('keeps whole documents when another is broken, whatever the breakage', () => {
    for (const broken of ['a: "unterminated', 'a: [1, 2', 'a:\n\t- b', 'a: b: c', '{']) {
      const text = `${project('a')}---\n${broken}\n---\n${project('b')}`
      expect(names(text)).toEqual(['a', 'b'])
      const { faults } = parseManifests(text, 'f.yaml')
      expect(faults.length).toBeGreaterThan(0)
      for (const fault of faults) expect(fault.line).toBeGreaterThanOrEqual(5)
    }
  })

  it('never shows the source in a message', () => {
    const canary = 'hunter2-canary'
    for (const line of [
      `  value: "${canary}\\q"`,
      `  value: ${canary}: x: y`,
      `  value: *${canary}`,
      `  ${canary}: 1\n  ${canary}: 2`,
      `  value: @${canary}`,
      `  value: !${canary} x`,
      `  value: !!binary ${canary}`,
      `  value: "${canary}`,
    ]) {
      const { faults } = parseManifests(`${project('a')}spec:\n${line}\n`, 'f.yaml')
      expect(faults.length, line).toBeGreaterThan(0)
      expect(JSON.stringify(faults)).not.toContain(canary)
    }
  })

  it.each(['[a.yml', '{ a: b', '[a.yml, b.yml\n  more: [c'])(
    'says of %j that it is not closed, and blames no indentation',
    (value) => {
      const { faults } = parseManifests(
        `${project('a')}spec:\n  files: ${value}\n  x: 1\n`,
        'f.yaml',
      )
      expect(faults[0]?.message).toMatch(/a \[ or \{ before here is not closed/)
      expect(JSON.stringify(faults)).not.toContain('the indentation is wrong')
    },
  )

  it('names the line of a duplicate key', () => {
    const { faults } = parseManifests(`${project('a')}spec:\n  a: 1\n  a: 2\n`, 'f.yaml')
    expect(faults).toEqual([
      { file: 'f.yaml', line: 7, message: expect.stringContaining('twice') as string },
    ])
  })

  it('finds a duplicate key among very many', () => {
    const keys = Array.from({ length: 1_000 }, (_, i) => `  k${i}: 1`).join('\n')
    const { faults } = parseManifests(`${project('a')}spec:\n${keys}\n  k7: 2\n`, 'f.yaml')
    expect(faults).toHaveLength(1)
  })

  it('takes for numbers what has a digit before its exponent, as kubectl does', () => {
    const text = `${project('a')}spec: {a: e-1, b: ., c: E5, d: 1e3, e: -.5, f: 1_0.2, g: 7., h: .NaN}\n`
    expect(parseManifests(text, 'a.yaml').documents[0]?.object.spec).toEqual({
      a: 'e-1',
      b: '.',
      c: 'E5',
      d: 1000,
      e: -0.5,
      f: 10.2,
      g: 7,
      h: NaN,
    })
  })

  it('reads YAML 1.1: yes and on are booleans, 0600 is a number, dates and 1:30 stay text', () => {
    const text = `${project('a')}spec: {a: yes, b: on, c: 0600, d: 2024-01-01, e: 1:30, f: "yes", g: ~}\n`
    const { documents } = parseManifests(text, 'f.yaml')
    expect(documents[0]?.object.spec).toEqual({
      a: true,
      b: true,
      c: 384,
      d: '2024-01-01',
      e: '1:30',
      f: 'yes',
      g: null,
    })
  })

  it('follows anchors, aliases and merge keys within a document', () => {
    const text = `x: &m {name: a}\napiVersion: v1\nkind: Namespace\nmetadata:\n  <<: *m\n`
    expect(names(text)).toEqual(['a'])
  })

  it('refuses an alias bomb with a fault', () => {
    let text = 'a0: &a0 [x]\n'
    for (let i = 1; i < 9; i++) text += `a${i}: &a${i} [${`*a${i - 1},`.repeat(9)}]\n`
    const { documents, faults } = parseManifests(text, 'f.yaml')
    expect(documents).toEqual([])
    expect(faults).toHaveLength(1)
  })

  it('reads JSON and the items of a List, with lines of fields', () => {
    const text = JSON.stringify(
      {
        apiVersion: 'v1',
        kind: 'List',
        items: [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } }],
      },
      null,
      '\t',
    )
    const { documents, faults } = parseManifests(text, 'f.json')
    expect(faults).toEqual([])
    expect(documents[0]?.object.metadata.name).toBe('a')
    expect(documents[0]?.lineOf('metadata.name')).toBe(9)
  })

  it('finds lines of fields, of keys with dots, and of the nearest parent of an absent field', () => {
    const text = `${project('a')}  labels:\n    a.b/c: x\nspec:\n  files:\n    - one\n    - two\n`
    const document = parseManifests(`# top\n---\n${text}`, 'f.yaml').documents[0]!
    expect(document.lineOf('metadata.labels.a.b/c')).toBe(8)
    expect(document.lineOf('spec.files[1]')).toBe(12)
    expect(document.lineOf('spec.compose.directory')).toBe(9)
    expect(document.lineOf('nothing')).toBe(3)
  })

  it('reports every missing head field at once', () => {
    const { faults } = parseManifests(
      'spec: {}\n---\n- 1\n---\napiVersion: 1\nkind: yes\nmetadata: {name: 5}\n',
      'f',
    )
    expect(faults.map((f) => `${f.line} ${f.field ?? ''}`)).toEqual([
      '1 metadata',
      '1 apiVersion',
      '1 kind',
      '3 ',
      '5 apiVersion',
      '6 kind',
      '7 metadata.name',
    ])
  })
})
