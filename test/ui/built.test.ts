// The built files of the dashboard: how large they are, and that nothing in them asks for a looser policy.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'

const folder = resolve(import.meta.dirname, '../../dist/dashboard')
const assets = readdirSync(join(folder, 'assets'))
const shell = readFileSync(join(folder, 'index.html'), 'utf8')

const read = (name: string): Buffer => readFileSync(join(folder, 'assets', name))
/** Kilobytes of all files with this end, packed where they are packed. */
const size = (end: string, only: (name: string) => boolean = () => true): number =>
  assets
    .filter((name) => name.endsWith(end) && only(name))
    .map((name) => read(assets.includes(`${name}.gz`) ? `${name}.gz` : name).length)
    .reduce((sum, bytes) => sum + bytes, 0) / 1024

it('is small', () => {
  expect(size('.js', (name) => shell.includes(name))).toBeLessThan(90)
  expect(size('.js')).toBeLessThan(260)
  expect(size('.css')).toBeLessThan(14)
  expect(size('.woff2')).toBeLessThan(54)
})

it('needs no more than eight requests until a page is there', () => {
  // Shell, what it names, the fonts, and the file of the page.
  const named = assets.filter((name) => shell.includes(`/ui/assets/${name}"`))
  const fonts = assets.filter((name) => name.endsWith('.woff2'))
  expect(1 + named.length + fonts.length + 1).toBeLessThanOrEqual(8)
})

const forbidden = [
  /\beval\(|new Function\b|javascript:|data:[a-z]+\/|sourceMappingURL/g,
  /\bstyle="|\bon(click|load|error)="/g,
  // Namespaces are no addresses, `http://page` is what relative addresses are read against, one is in the text of an
  // error, and the rest are what a form shows as usual.
  /https?:\/\/(?!www\.w3\.org\/|page\b|app\.infisical\.com\b|api\.doppler\.com\b|\{name\}\.example\.com\b|api\.telegram\.org\/bot<|ntfy\.sh\/my-topic\b|github\.com\/preactjs\/preact-iso)[^`'" ]*/g,
]

it('holds nothing that the policy of the page forbids', () => {
  const texts = assets
    .filter((name) => /\.(js|css|svg)$/.test(name))
    .map((name) => read(name).toString())
  const found = [shell, ...texts].flatMap((text) =>
    forbidden.flatMap((pattern) => text.match(pattern) ?? []),
  )
  expect(found).toEqual([])
  expect(shell).not.toMatch(/<script(?![^>]*\bsrc=)/)
})

it('loads later only files that import the shared one alone, each by an address that can be another', () => {
  const later = assets.filter((name) => name.endsWith('.js') && !shell.includes(name))
  const [shared] = assets.filter((name) => name.endsWith('.js') && /^index-/.test(name))
  const texts = new Map(
    assets.filter((name) => name.endsWith('.js')).map((name) => [name, read(name).toString()]),
  )
  expect(later.length).toBeGreaterThan(20)
  for (const name of later)
    expect(
      [...(texts.get(name) ?? '').matchAll(/from"\.\/([^"]+)"/g)].map(([, one]) => one),
    ).toEqual(
      // What imports nothing has no state either.
      texts.get(name)?.includes(`"./${shared}"`) === true ? [shared] : [],
    )
  const calls = [...texts.values()].flatMap((text) => text.match(/\bimport\([^)]*\)/g) ?? [])
  expect(calls.length).toBe(later.length)
  for (const call of calls) expect(call).toMatch(/\+globalThis\.stagelyAgain\)$/)
})

it('names every file but the shell by its content', () => {
  for (const name of assets) expect(name).toMatch(/-[\w-]{8}\.(js|css|svg|woff2)(\.br|\.gz)?$/)
})

it('has the sum of each file, for who wants to know that nobody changed one', () => {
  const sums = readFileSync(join(folder, 'SHA256SUMS'), 'utf8')
  const made = readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name !== 'SHA256SUMS' && statSync(join(folder, name)).isFile())
    .sort()
    .map((name) => {
      const content = readFileSync(join(folder, name))
      return `${createHash('sha256').update(content).digest('hex')}  ${name}\n`
    })
  expect(sums).toBe(made.join(''))
})
