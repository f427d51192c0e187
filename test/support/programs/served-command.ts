// The program `stagely` for shells of a test, without the start of a process: it hands its words, its input, its folder
// and its environment to `runCli`, which has one.
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { runCli } from './cli.ts'

/** The answer is what a shell does in place of the command. */
const program = (socket: string): string => `#!/bin/sh
for word; do set -- "$@" --data-urlencode "word=$word"; shift; done
eval "$(curl -sS --unix-socket '${socket}' "$@" --data-urlencode "folder=$PWD" --data-urlencode "environment=$(env)" \\
  --data-urlencode input@- http://stagely)"
`

const quoted = (said: string): string => `'${said.replaceAll("'", `'\\''`)}'`

const environmentOf = (lines: string): NodeJS.ProcessEnv =>
  Object.fromEntries(
    [...lines.matchAll(/^(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  )

export interface ServedCommand {
  close(): void
}

/** Puts it into the folder. */
export const servedCommand = async (folder: string): Promise<ServedCommand> => {
  const socket = join(folder, 'stagely.sock')
  const server = createServer((request, response) => {
    const answer = async (): Promise<string> => {
      const asked = new URLSearchParams(await text(request))
      const given = (name: string): string => asked.get(name) ?? ''
      const environment = environmentOf(given('environment'))
      const ran = await runCli(asked.getAll('word'), environment, given('input'), given('folder'))
      return `printf %s ${quoted(ran.stdout)}; printf %s ${quoted(ran.stderr)} >&2; exit ${ran.code}`
    }
    answer().then(
      (said) => response.end(said),
      (error: unknown) => response.end(`echo ${quoted(String(error))} >&2; exit 1`),
    )
  })
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  await writeFile(join(folder, 'stagely'), program(socket), { mode: 0o755 })
  return server
}
