// A repository of 5,000 commits of other people's source, with 200 values in every form that people write them in.
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

export interface Planted {
  readonly key: string
  readonly value: string
  readonly path: string
  readonly text: string
  /** How the text has it. */
  readonly form: string
}

const wrapped = (text: string): string => text.replace(/.{76}/g, '$&\n')
const base64 = (text: string, encoding: 'base64' | 'base64url' | 'hex' = 'base64'): string =>
  Buffer.from(text).toString(encoding)
const json = (text: unknown): string => JSON.stringify(text)

const forms: Readonly<Record<string, (value: string) => string>> = {
  plain: (value) => `# settings\nCREDENTIAL=${value}\n`,
  url: (value) => `postgres://app:${encodeURIComponent(value)}@db.internal/shop?x=1\n`,
  base64: (value) => `data:\n  credential: ${base64(value)}\n`,
  'base64, one byte before': (value) => `Authorization: Basic ${base64(`:${value}`)}\n`,
  'base64, two bytes before': (value) => `Authorization: Basic ${base64(`a:${value}`)}\n`,
  base64url: (value) => `token=${base64(`{"k":"${value}"}`, 'base64url')}\n`,
  'base64 in lines': (value) =>
    wrapped(base64(`${'some text before it. '.repeat(9)}${value} after`)),
  hex: (value) => `blob = 0x${base64(value, 'hex')}\n`,
  json: (value) => `{\n  "a": 1,\n  "credential": ${json(value)}\n}\n`,
  'json in json': (value) => `{"log": ${json(json({ at: value }))}}\n`,
  yaml: (value) =>
    `services:\n  web:\n    environment:\n      X: '${value.replaceAll("'", "''")}'\n`,
  compose: (value) => `      X: ${json(value.replaceAll('$', '$$$$'))}\n`,
  shell: (value) => `export X='${value.replaceAll("'", `'\\''`)}'\n`,
  html: (value) =>
    `<input value="${value.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')}">\n`,
}

/** A password that no pattern knows. */
export const formless = 'tangerinebicyclewinterly'

const valueOf = (i: number): string => {
  if (i === 0) return formless
  if (i % 20 === 1)
    return generateKeyPairSync('ed25519')
      .privateKey.export({ type: 'pkcs8', format: 'pem' })
      .toString()
  const random = randomBytes(24).toString('base64')
  return i % 4 === 2 ? `${random.slice(0, 16)}"$'&<%/+${random.slice(16)}` : random
}

/** `given`: the same value each time. */
export const planted = (count: number, given?: string): Planted[] =>
  Array.from({ length: count }, (_, i) => {
    const value = given ?? valueOf(i)
    const names = Object.keys(forms)
    const form = i === 0 ? 'plain' : names[i % names.length]!
    // The lines of a key are written with escapes, or whole.
    const needsOneLine = value.includes('\n') && !form.startsWith('base64') && form !== 'hex'
    const text = needsOneLine ? `key: |\n${value.replace(/^/gm, '  ')}` : forms[form]!(value)
    return {
      key: `PLANTED_${i}`,
      value,
      path: `planted/${i}.txt`,
      text,
      form: needsOneLine ? 'yaml block' : form,
    }
  })

/** Files of packages, up to so many bytes. */
export const foreignSources = (folder: string, most: number): Buffer[] => {
  const found: Buffer[] = []
  let bytes = 0
  const walk = (at: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      if (bytes >= most) return
      const path = join(at, entry.name)
      if (entry.isDirectory()) walk(path)
      else if (/\.(ts|js|mjs|json|md|css)$/.test(entry.name) && statSync(path).size < 300_000) {
        const content = readFileSync(path)
        bytes += content.length
        found.push(content)
      }
    }
  }
  walk(folder)
  return found
}

/** Each commit adds or changes a file; the planted ones are deleted again in the last commit. */
export const makeRepository = (
  folder: string,
  {
    commits,
    sources,
    values,
  }: { commits: number; sources: readonly Buffer[]; values: readonly Planted[] },
): void => {
  execFileSync('git', ['init', '-q', '-b', 'main', folder])
  const parts: Buffer[] = []
  const every = Math.floor(commits / values.length)
  for (let i = 0; i < commits; i++) {
    const plant = i % every === 0 ? values[i / every] : undefined
    const path = plant?.path ?? `src/file-${i % 2_000}.txt`
    const content = plant === undefined ? sources[i % sources.length]! : Buffer.from(plant.text)
    parts.push(
      Buffer.from(
        `commit refs/heads/main\ncommitter a <a@example.com> ${1_700_000_000 + i} +0000\ndata 1\nx\nM 100644 inline ${path}\ndata ${content.length}\n`,
      ),
      content,
      Buffer.from('\n'),
    )
  }
  parts.push(
    Buffer.from(
      `commit refs/heads/main\ncommitter a <a@example.com> ${1_700_000_000 + commits} +0000\ndata 1\nx\nD planted\n\n`,
    ),
  )
  execFileSync('git', ['fast-import', '--quiet'], { cwd: folder, input: Buffer.concat(parts) })
  execFileSync('git', ['reset', '-q', '--hard'], { cwd: folder })
}
