// One YAML document → plain data, or its faults with their lines. Pure.
//
// - YAML is read as kubectl reads it: YAML 1.1. As with kubectl, `1:30` and dates stay text.
// - Messages are our own sentences: the parser's messages quote the source, which may hold a secret.
import {
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type DocumentOptions,
  type Node,
  type Pair,
  type ParseOptions,
  type ScalarTag,
  type SchemaOptions,
} from 'yaml'
import { lineOfField } from './field-line.ts'
import { sentenceFor } from './sentences.ts'

interface YamlFault {
  /** 1-based line of the text. */
  readonly line: number
  readonly message: string
}

interface DuplicateKey extends YamlFault {
  /** Path of the key, such as `spec.files[0].name`. */
  readonly field: () => string
}

interface YamlDocument {
  /** undefined when there are faults. If a map has a key twice, the last one counts. */
  readonly content: unknown
  readonly faults: readonly YamlFault[]
  /** Keys that occur twice in one map. */
  readonly duplicates: readonly DuplicateKey[]
  /** 1-based line of a field such as `spec.files[0]`, or of its nearest parent in the text. */
  readonly lineOf: (field: string) => number
}

/** A number has a digit before its exponent: the parser's own takes `e-1` and `.` for numbers. */
const float: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  test: /^[-+]?(?:\.[0-9][0-9_]*|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$/,
  resolve: (text) => parseFloat(text.replaceAll('_', '')),
}

const options: ParseOptions & DocumentOptions & SchemaOptions = {
  version: '1.1',
  schema: 'yaml-1.1',
  prettyErrors: false,
  // The parser's own check compares each key with all earlier ones: see duplicateKeys().
  uniqueKeys: false,
  merge: true,
  // Types that kubectl's parser does not make of plain scalars: sexagesimal numbers and dates stay
  // text. `!!binary` and the like are refused below; otherwise they would silently become other bytes.
  customTags: (tags) => [
    ...tags.filter(
      (tag) =>
        typeof tag === 'string' ||
        !(
          /:(timestamp|binary|set|omap|pairs)$/.test(tag.tag) ||
          ('format' in tag && tag.format === 'TIME') ||
          (tag.tag === float.tag && !('test' in tag && tag.test?.test('.nan')))
        ),
    ),
    float,
  ],
}

/** Never throws. */
export const parseYaml = (text: string): YamlDocument => {
  const counter = new LineCounter()
  const doc = parseDocument(text, { ...options, lineCounter: counter })
  const lineAt = (offset: number): number => counter.linePos(offset).line
  const lineOf = (field: string): number =>
    lineAt(lineOfField(doc, field) ?? doc.contents?.range?.[0] ?? 0)
  const faults = [...doc.errors, ...doc.warnings].map(({ pos, code, message }) => ({
    line: lineAt(pos[0]),
    message: sentenceFor(code, message),
  }))
  const duplicates = duplicateKeys(doc).map(({ offset, field }) => ({
    line: lineAt(offset),
    message: sentenceFor('DUPLICATE_KEY'),
    field,
  }))
  if (faults.length > 0) return { content: undefined, faults, duplicates, lineOf }
  const content = toPlain(doc)
  if (content !== tooManyAliases) return { content, faults: [], duplicates, lineOf }
  const message = 'aliases expand to more than can be meant'
  return { content: undefined, faults: [{ line: 1, message }], duplicates, lineOf }
}

const duplicateKeys = (doc: Document): { offset: number; field: () => string }[] => {
  const found: { offset: number; field: () => string }[] = []
  visit(doc, {
    Map: (_, map, above) => {
      const keys = new Set<unknown>()
      for (const { key } of map.items) {
        if (!isScalar(key)) continue
        if (keys.has(key.value))
          found.push({
            offset: key.range?.[0] ?? 0,
            field: () => pathOf([...above, map], String(key.value)),
          })
        keys.add(key.value)
      }
    },
  })
  return found
}

type Ancestor = Document | Node | Pair

/** Path of `key` in the last of `nodes`. Each node lies in the node before it. */
const pathOf = (nodes: readonly Ancestor[], key: string): string => {
  const steps = nodes.map((node, n) => {
    if (isPair(node)) return `.${isScalar(node.key) ? String(node.key.value) : '?'}`
    return isSeq(node) ? `[${node.items.indexOf(nodes[n + 1])}]` : ''
  })
  return `${steps.join('')}.${key}`.replace(/^\./, '')
}

const tooManyAliases = Symbol('tooManyAliases')

const toPlain = (doc: Document): unknown => {
  try {
    return doc.toJS({ maxAliasCount: 1000 }) as unknown
  } catch {
    return tooManyAliases
  }
}
