// Runs in a network of its own: node browser-apart.mjs PORT SOCKET PROGRAM ARGUMENT…
// Connections to PORT go to SOCKET. Ends with the program.
import { execFileSync, spawn } from 'node:child_process'
import { connect, createServer } from 'node:net'

const [port, socket, program, ...args] = process.argv.slice(2)
execFileSync('busybox', ['ip', 'link', 'set', 'lo', 'up'])
const server = createServer((from) => {
  const to = connect(socket)
  from.on('error', () => to.destroy()).on('close', () => to.destroy())
  to.on('error', () => from.destroy()).on('close', () => from.destroy())
  from.pipe(to).pipe(from)
})
server.listen(Number(port), '127.0.0.1', () => {
  // 3 and 4 are the pipes of the browser's debugger.
  const browser = spawn(program, args, { stdio: [0, 1, 2, 3, 4] })
  browser.on('exit', (code) => process.exit(code ?? 1))
})
