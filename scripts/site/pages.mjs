// Which files are pages of the site, by their path in it, and the text of each as VitePress is to read it.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'

/** Pages that lie elsewhere, because they are also read without the site. */
const elsewhere = { 'CHANGELOG.md': 'changelog.md', 'ARCHITECTURE.md': 'architecture.md' }

/** Path in the repository to path in the site. */
export const pagesOf = (root) =>
  new Map([
    ...readdirSync(join(root, 'docs'), { recursive: true })
      .filter((name) => name.endsWith('.md') && !name.startsWith('examples'))
      .sort()
      .map((name) => [`docs/${name}`, name.replace(/README\.md$/, 'index.md')]),
    ...Object.entries(elsewhere),
  ])

/** A file that the site has at the same place, though it is no page. */
const isShipped = (path) => path.startsWith('docs/examples/') && /\.(ya?ml|json)$/.test(path)

/** Links lead within the site; the name of what the site does not have stays as text. */
const withLinks = (text, page, pages) =>
  text.replace(/(!?)\[([^\]]*)\]\(([^)\s]+)\)/g, (whole, picture, words, link) => {
    if (/^[a-z]+:|^#/.test(link)) return whole
    const [path, anchor] = link.split('#')
    const target = normalize(join(dirname(page), path))
    const here = dirname(pages.get(page))
    const to = pages.get(target) ?? (isShipped(target) ? target.slice('docs/'.length) : undefined)
    if (to === undefined) return picture === '' ? words : ''
    const way = relative(here, to)
    return `[${words}](${way.startsWith('.') ? way : `./${way}`}${anchor === undefined ? '' : `#${anchor}`})`
  })

/** Without comments: the site writes no HTML of a page. */
export const siteText = (root, page, pages) => {
  const parts = readFileSync(join(root, page), 'utf8').split(/^(```[^]*?^```)/m)
  return parts
    .map((part, n) =>
      n % 2 === 1 ? part : withLinks(part.replace(/<!--[^]*?-->\n*/g, ''), page, pages),
    )
    .join('')
}
