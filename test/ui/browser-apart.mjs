// Runs in a network of its own: node browser-apart.mjs PORT,… FOLDER PROGRAM ARGUMENT…
// Connections to PORT go to the socket FOLDER/PORT. Ends with the program.
import { execFileSync, spawn } from 'node:child_process'
import { connect, createServer } from 'node:net'

const [ports, folder, program, ...args] = process.argv.slice(2)
execFileSync('busybox', ['ip', 'link', 'set', 'lo', 'up'])
const listen = (port) => {
  const server = createServer((from) => {
    const to = connect(`${folder}/${port}`)
    from.on('error', () => to.destroy()).on('close', () => to.destroy())
    to.on('error', () => from.destroy()).on('close', () => from.destroy())
    from.pipe(to).pipe(from)
  })
  return new Promise((done) => server.listen(Number(port), '127.0.0.1', done))
}
await Promise.all(ports.split(',').map(listen))
// 3 and 4 are the pipes of the browser's debugger.
const browser = spawn(program, args, { stdio: [0, 1, 2, 3, 4] })
browser.on('exit', (code) => process.exit(code ?? 1))
