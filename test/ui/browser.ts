// A browser that sees nothing of the machine's network but some ports of loopback. Chromium gives up every request
// (ERR_NETWORK_CHANGED) when an address of the machine comes or goes, and containers of other tests do both.
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { chromium, type Browser } from 'playwright-core'

export interface ApartBrowser {
  readonly browser: Browser
  /** False: all connections break, and none is made any more. */
  readonly setOnline: (isOnline: boolean) => void
  readonly stop: () => Promise<void>
}

const inner = resolve(import.meta.dirname, 'browser-apart.mjs')
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** A browser keeps no file, and no compiled script, that came with a certificate which it does not know. */
const trustOf = (ca: string): string => {
  const key = new X509Certificate(ca).publicKey.export({ type: 'spki', format: 'der' })
  const name = createHash('sha256').update(key).digest('base64')
  return `--ignore-certificate-errors-spki-list=${name}`
}

/**
 * Not for what is measured: tabs of a profile share a process, none is started for a site that may be visited next, no
 * process and one thread is for drawing only, and functions are compiled once, to simple code, which is kept.
 */
export const cheapFlags: readonly string[] = [
  '--renderer-process-limit=1',
  '--disable-site-isolation-trials',
  '--in-process-gpu',
  '--num-raster-threads=1',
  '--js-flags=--no-maglev --no-opt --always-sparkplug --no-flush-bytecode',
]

/** These ports of loopback are the only ones that the browser reaches; certificates of `ca` (PEM) are good. */
export const launchApart = async (
  ports: readonly number[],
  ca: string,
  flags: readonly string[],
): Promise<ApartBrowser> => {
  const folder = mkdtempSync(join(tmpdir(), 'stagely-browser-'))
  let isOnline = true
  const open = new Set<Socket>()
  const relay =
    (port: number) =>
    (from: Socket): void => {
      if (!isOnline) {
        from.destroy()
        return
      }
      open.add(from)
      const to = connect(port, '127.0.0.1')
      from.on('error', () => to.destroy())
      from.on('close', () => {
        open.delete(from)
        to.destroy()
      })
      to.on('error', () => from.destroy()).on('close', () => from.destroy())
      from.pipe(to).pipe(from)
    }
  const servers = ports.map((port) => createServer(relay(port)).listen(join(folder, String(port))))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const program = join(folder, 'chromium')
  const asRoot = process.getuid?.() === 0 ? '' : '--map-root-user '
  const command = [
    process.execPath,
    inner,
    ports.join(','),
    folder,
    '/usr/bin/chromium-headless-shell',
  ].map(quoted)
  writeFileSync(program, `#!/bin/sh\nexec unshare ${asRoot}--net -- ${command.join(' ')} "$@"\n`)
  chmodSync(program, 0o700)
  const browser = await chromium.launch({
    executablePath: program,
    args: [...flags, '--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', trustOf(ca)],
  })
  return {
    browser,
    setOnline: (next) => {
      isOnline = next
      if (!isOnline) for (const socket of open) socket.destroy()
    },
    stop: async () => {
      await browser.close()
      for (const server of servers) server.close()
      rmSync(folder, { recursive: true })
    },
  }
}
