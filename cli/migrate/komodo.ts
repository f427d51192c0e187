// Komodo: the environment of a stack, which is a text of a .env, and its compose file where Komodo holds it.
// API: docs.rs/komodo_client, `read::GetStack`.
import { isRecord } from '../../src/kernel/record.ts'
import { parseDotenv } from '../../src/formats/dotenv.ts'
import { CliError } from '../errors.ts'
import { note } from '../print.ts'
import { keyFrom, openTool, type ToolAddress } from './ask.ts'
import { makeSource, type StackSource } from './environment.ts'

const name = 'Komodo'

/** `[[NAME]]` is filled in by Komodo when it deploys; the API shows it as it is written. */
const komodoVariable = /\[\[[^\]]+\]\]/

export const readKomodo = async (stack: string, address: ToolAddress): Promise<StackSource> => {
  const ask = await openTool(name, address, {
    'x-api-key': keyFrom('KOMODO_API_KEY'),
    'x-api-secret': keyFrom('KOMODO_API_SECRET'),
  })
  const answer = await ask('/read', { type: 'GetStack', params: { stack } })
  const config = isRecord(answer) && isRecord(answer['config']) ? answer['config'] : undefined
  if (config === undefined) throw new CliError(`${name} describes no stack "${stack}"`)
  const { environment = '', file_contents: file } = config
  const { entries, faults } = parseDotenv(typeof environment === 'string' ? environment : '')
  for (const { where, message } of faults) note(`environment of ${stack}: ${where}: ${message}`)
  if (faults.length > 0) throw new CliError(`mend the environment of the stack in ${name} first`)
  const open = entries.filter(({ value }) => komodoVariable.test(value))
  if (open.length > 0)
    note(
      `Left out, since ${name} fills them in from its own variables: ${open.map(({ key }) => key).join(', ')}. Give them by "stagely secrets set".`,
    )
  const given = entries.filter((entry) => !open.includes(entry))
  const variables = given.map(({ key, value }) => [key, value] as const)
  return makeSource(name, variables, file)
}
