// The program `stagely` for shells of a test, without the start of a process: it hands its words and its input to
// `runCli`, which has one.
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { runCli } from './cli.ts'

/** Says what the answer says, and ends with the code that comes last in it. */
const program = (socket: string): string => `#!/bin/sh
for word; do set -- "$@" --data-urlencode "word=$word"; shift; done
said=$(curl -sS --unix-socket '${socket}' "$@" --data-urlencode input@- http://stagely)
printf %s "\${said%?}"
exit "\${said#"\${said%?}"}"
`

export interface ServedCommand {
  close(): void
}

/** Puts it into the folder. Every command has that environment. */
export const servedCommand = async (
  folder: string,
  environment: () => NodeJS.ProcessEnv,
): Promise<ServedCommand> => {
  const socket = join(folder, 'stagely.sock')
  const server = createServer((request, response) => {
    const answer = async (): Promise<string> => {
      const asked = new URLSearchParams(await text(request))
      const ran = await runCli(asked.getAll('word'), environment(), asked.get('input') ?? '')
      return `${ran.stdout}${ran.stderr}${ran.code}`
    }
    answer().then(
      (said) => response.end(said),
      (error: unknown) => response.end(`${String(error)}1`),
    )
  })
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  await writeFile(join(folder, 'stagely'), program(socket), { mode: 0o755 })
  return server
}
