// As cli-host.mjs, at a terminal: node pty-host.mjs MAIN SOCKET. Commands come by the socket, one a line; the end of each
// is a control sequence on the terminal, which shows none of it.
import { connect } from 'node:net'
import { createInterface } from 'node:readline'

const [main, path] = process.argv.slice(2)
const { runCommandLine } = await import(new URL('command-line.js', `file://${main}`).href)

for await (const line of createInterface({ input: connect(path) })) {
  const { args, env } = JSON.parse(line)
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, env)
  process.argv = [process.execPath, main, ...args]
  const code = await runCommandLine(args)
  process.stdout.write(`\x1b]${code}\x07`)
}
