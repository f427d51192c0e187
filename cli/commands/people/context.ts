// context: the stored logins of this person, of which one is current.
import { usageError } from '../../errors.ts'
import { contextName, loginNamed, readLogins, writeLogins, type StoredLogin } from '../../logins.ts'
import { newLocalCommand, type Command, type Output } from '../../options.ts'
import { fields, printRecords, type RecordView } from '../../output/records.ts'
import { out } from '../../print.ts'

interface ContextFlags {
  readonly output?: Output
  readonly rename?: string
}

export const command = (): Command =>
  newLocalCommand('context -o', 'List the stored logins, without their tokens, or choose one.', [
    'stagely context',
    'stagely context staging            # commands go there from now on',
    'stagely context --rename stagely.example.com prod',
    'stagely get stagelets --context prod',
  ])
    .argument('[context]', 'the login that commands use from now on; with --rename its new name')
    .option('--rename <context>', 'give this login another name')
    .action(async (name: string | undefined, { output, rename: renamed }: ContextFlags) => {
      if (name !== undefined) await (renamed === undefined ? use(name) : rename(renamed, name))
      else if (renamed === undefined) await list(output)
      else throw usageError('say the new name: stagely context --rename NAME NEW-NAME')
    })

interface Context {
  readonly name: string
  readonly current: boolean
  readonly server: string
  readonly namespace?: string
}

const view: RecordView<Context> = {
  columns: [
    { header: 'CURRENT', cell: ({ current }) => (current ? '*' : '') },
    ...fields<Context>('name', 'server', 'namespace'),
  ],
  nameOf: ({ name }) => name,
  empty: 'No login is stored: run "stagely login".',
}

/** Without the token. */
const contextOf = (name: string, login: StoredLogin, current: boolean): Context => {
  const { server, namespace } = login
  return { name, current, server, ...(namespace !== undefined && { namespace }) }
}

const list = async (output: Output | undefined): Promise<void> => {
  const { current, contexts } = await readLogins()
  const listed = Object.entries(contexts).map(([name, login]) =>
    contextOf(name, login, name === current),
  )
  await printRecords(listed, view, output)
}

const use = async (name: string): Promise<void> => {
  const logins = await readLogins()
  const { server } = loginNamed(logins, name)
  await writeLogins({ ...logins, current: name })
  out(`Commands go to ${name} now: ${server}`)
}

const rename = async (name: string, newName: string): Promise<void> => {
  const { current, contexts } = await readLogins()
  const login = loginNamed({ contexts }, name)
  if (!contextName.test(newName))
    throw usageError('a name has letters, digits and . _ : -, and begins with a letter or digit')
  if (Object.hasOwn(contexts, newName)) throw usageError(`there is a context "${newName}"`)
  const { [name]: _renamed, ...others } = contexts
  const renamed = { ...others, [newName]: login }
  const still = current === name ? newName : current
  await writeLogins({ ...(still !== undefined && { current: still }), contexts: renamed })
  out(`context ${name} is ${newName} now`)
}
