// The licences of the packages that are shipped: their texts must go with them.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folderOf = (input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]

/** Packages of which whole files are copied. */
const copied = ['node_modules/swagger-ui-dist']

/** One text with each package's name, version and licence. */
export const noticesOf = (root, { inputs }) => {
  const folders = new Set([...Object.keys(inputs).map(folderOf), ...copied].filter(Boolean))
  const notices = [...folders].map((folder) => {
    const { name, version, license } = JSON.parse(
      readFileSync(join(root, folder, 'package.json'), 'utf8'),
    )
    const file = readdirSync(join(root, folder)).find((n) => /^licen[cs]e(\.|$)/i.test(n))
    const text = file === undefined ? '' : readFileSync(join(root, folder, file), 'utf8').trim()
    const notice = join(root, folder, 'NOTICE')
    const more = existsSync(notice) ? `\n\n${readFileSync(notice, 'utf8').trim()}` : ''
    return `${name} ${version} (${String(license)})\n\n${text}${more}\n`
  })
  return [...new Set(notices)].sort().join(`\n${'-'.repeat(80)}\n\n`)
}
