// Comments a preview on a pull request, by the API that GitHub and Forgejo share: once, and anew in the same comment.
// node comment.mjs NUMBER FILE, with GITHUB_API_URL, GITHUB_REPOSITORY and GITHUB_TOKEN. The first line of the file finds it.
import { readFile } from 'node:fs/promises'

const [number, file] = process.argv.slice(2)
const { GITHUB_API_URL: api, GITHUB_REPOSITORY: repository, GITHUB_TOKEN: token } = process.env
const body = await readFile(file, 'utf8')
const [marker] = body.split('\n', 1)

const call = async (method, path, content) => {
  const response = await fetch(`${api}/repos/${repository}/issues${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json',
      'content-type': 'application/json',
    },
    ...(content === undefined ? {} : { body: JSON.stringify(content) }),
  })
  if (!response.ok) throw new Error(`${method} ${response.url}: ${response.status}`)
  return response.json()
}

const find = async () => {
  for (let page = 1; page <= 20; page++) {
    const comments = await call('GET', `/${number}/comments?per_page=100&limit=100&page=${page}`)
    const found = comments.find((comment) => comment.body.startsWith(marker))
    if (found !== undefined || comments.length === 0) return found
  }
  return undefined
}

const found = await find()
if (found === undefined) await call('POST', `/${number}/comments`, { body })
else await call('PATCH', `/comments/${found.id}`, { body })
