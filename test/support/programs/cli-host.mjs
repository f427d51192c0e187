// A process that runs the built command again and again: what a start costs (mostly
// reading modules) is paid once. Each run gets an environment, arguments and streams as a
// process of its own has them. One run at a time; see cli.ts.
import { writeSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { Readable, Writable } from 'node:stream'

const [main] = process.argv.slice(2)
const { runCommandLine } = await import(new URL('command-line.js', `file://${main}`).href)

/** To where programs that the command starts print, too. */
const output = (file) =>
  new Writable({
    write: (chunk, _encoding, done) => {
      writeSync(file, chunk)
      done()
    },
  })

const put = (name, value) => Object.defineProperty(process, name, { value, configurable: true })

const run = async ({ args, env, input, cwd }) => {
  process.chdir(cwd)
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, env)
  process.argv = [process.execPath, main, ...args]
  put('stdin', Readable.from(input === '' ? [] : [Buffer.from(input)], { objectMode: false }))
  put('stdout', output(1))
  put('stderr', output(2))
  const code = await runCommandLine(args)
  // As the end of a process does.
  for (const { globalAgent } of [http, https]) globalAgent.destroy()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(name)
  return { code }
}

process.on('message', (asked) => {
  run(asked).then(
    (ran) => process.send(ran),
    (error) => process.send({ failed: String(error?.stack ?? error) }),
  )
})
process.on('disconnect', () => process.exit())
process.send('ready')
