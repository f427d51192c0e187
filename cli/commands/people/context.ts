// context: the stored logins of this person, of which one is current.
import { usageError } from '../../errors.ts'
import { contextName, loginNamed, readLogins, writeLogins, type StoredLogin } from '../../logins.ts'
import { newGroup, newLocalCommand, type Command, type Output } from '../../options.ts'
import { fields, printRecords, type RecordView } from '../../output/records.ts'
import { out } from '../../print.ts'

export const command = (): Command =>
  newGroup('context', 'Choose among several controllers, by the names of logins.', [
    'stagely context list',
    'stagely context use staging',
    'stagely get stagelets --context prod',
  ]).having(listCommand, useCommand, renameCommand)

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

const listCommand = (): Command =>
  newLocalCommand('list -o', 'List the stored logins, without their tokens.', [
    'stagely context list',
    'stagely context list -o json',
  ]).action(async ({ output }: { output?: Output }) => {
    const { current, contexts } = await readLogins()
    const listed = Object.entries(contexts).map(([name, login]) =>
      contextOf(name, login, name === current),
    )
    await printRecords(listed, view, output)
  })

const useCommand = (): Command =>
  newLocalCommand('use', 'Make a stored login the one that commands use.', [
    'stagely context use prod',
  ])
    .argument('<name>', 'context, as "stagely context list" shows it')
    .action(async (name: string) => {
      const logins = await readLogins()
      const { server } = loginNamed(logins, name)
      await writeLogins({ ...logins, current: name })
      out(`Commands go to ${name} now: ${server}`)
    })

const renameCommand = (): Command =>
  newLocalCommand('rename', 'Give a stored login another name.', [
    'stagely context rename stagely.example.com prod',
  ])
    .argument('<name>', 'context')
    .argument('<new-name>', 'its name from now on')
    .action(async (name: string, newName: string) => {
      const { current, contexts } = await readLogins()
      const login = loginNamed({ contexts }, name)
      if (!contextName.test(newName))
        throw usageError(
          'a name has letters, digits and . _ : -, and begins with a letter or digit',
        )
      if (Object.hasOwn(contexts, newName)) throw usageError(`there is a context "${newName}"`)
      const { [name]: _renamed, ...others } = contexts
      const renamed = { ...others, [newName]: login }
      const still = current === name ? newName : current
      await writeLogins({ ...(still !== undefined && { current: still }), contexts: renamed })
      out(`context ${name} is ${newName} now`)
    })
