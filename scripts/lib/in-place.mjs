// A plugin of esbuild: in a bundle each source still finds what lies beside it.
import { readFile } from 'node:fs/promises'
import { dirname, extname } from 'node:path'
import { pathToFileURL } from 'node:url'

export const inPlace = {
  name: 'in-place',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\.tsx?$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      const contents = text
        .replace(/(?<!')import\.meta\.url\b/g, JSON.stringify(pathToFileURL(path)))
        .replace(/(?<!')import\.meta\.dirname\b/g, JSON.stringify(dirname(path)))
      return { loader: extname(path).slice(1), contents }
    })
  },
}
