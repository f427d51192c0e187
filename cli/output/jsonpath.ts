// kubectl's JSONPath templates: text, {path}, {"literal"}, {range path}…{end}.
// https://kubernetes.io/docs/reference/kubectl/jsonpath/
import { JSONPath } from 'jsonpath-plus'
import { usageError } from '../errors.ts'

type Part =
  | { readonly text: string }
  | { readonly path: string }
  | { readonly range: string; readonly parts: readonly Part[] }

const pieces = /\{("(?:[^"\\]|\\.)*"|'[^']*'|(?:"[^"]*"|[^{}"])*)\}|[^{]+|\{/g

const parseTemplate = (template: string): Part[] => {
  const open: { readonly range: string; readonly parts: Part[] }[] = [{ range: '', parts: [] }]
  const add = (part: Part): void => void open.at(-1)!.parts.push(part)
  for (const [piece, inner] of template.matchAll(pieces)) {
    const code = inner?.trim()
    if (piece === '{') throw usageError(`-o jsonpath: "{" is not closed in ${template}`)
    if (code === undefined) add({ text: piece })
    else if (code.startsWith('"')) add({ text: literalOf(code) })
    else if (code.startsWith('range ')) open.push({ range: code.slice(6).trim(), parts: [] })
    else if (code !== 'end') add({ path: code })
    else {
      const range = open.pop()!
      if (open.length === 0) throw usageError('-o jsonpath: {end} without {range}')
      add(range)
    }
  }
  if (open.length > 1) throw usageError('-o jsonpath: {range} without {end}')
  return open[0]!.parts
}

const literalOf = (code: string): string => {
  try {
    return JSON.parse(code) as string
  } catch {
    throw usageError(`-o jsonpath: ${code} is no text`)
  }
}

/** A name with escaped dots, such as `.annotations.stagely\.dev/owner`, in brackets. */
const withBrackets = (path: string): string =>
  path.replace(/\.((?:[^.[\]\\()]|\\.)*\\.(?:[^.[\]\\()]|\\.)*)/g, (_, name: string) => {
    return `['${name.replaceAll('\\', '')}']`
  })

const valuesAt = (json: object, path: string): unknown[] => {
  const bare = path.replace(/^[$@]/, '')
  if (bare === '' || bare === '.') return [json]
  const full = `$${/^[.[]/.test(bare) ? '' : '.'}${withBrackets(bare)}`
  try {
    // "safe": the expressions of filters are not JavaScript.
    return JSONPath<unknown[]>({ path: full, json, wrap: true, eval: 'safe' })
  } catch {
    throw usageError(`-o jsonpath: ${path} is no path, such as .status.conditions[*].type`)
  }
}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value)

const render = (parts: readonly Part[], json: object): string =>
  parts
    .map((part) => {
      if ('text' in part) return part.text
      if ('path' in part) return valuesAt(json, part.path).map(textOf).join(' ')
      return valuesAt(json, part.range)
        .map((item) => render(part.parts, item as object))
        .join('')
    })
    .join('')

/** CliError for a template that cannot be read; what is not there is empty. */
export const renderJsonPath = (template: string, json: object): string =>
  render(parseTemplate(template), json)
