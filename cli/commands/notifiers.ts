// notifiers: whether what the controller tells arrives. Notifiers themselves are objects: "stagely get notifiers".
import { openClient } from '../connect/client.ts'
import { CliError } from '../errors.ts'
import { newCommand, newGroup, type Command, type CommonFlags } from '../options.ts'
import { out } from '../print.ts'
import { post } from '../connect/rest.ts'

export const command = (): Command =>
  newGroup('notifiers', 'Test notifiers. "stagely get notifiers" lists them.', [
    'stagely get notifiers',
    'stagely notifiers test ops',
  ]).addCommand(testCommand())

const testCommand = (): Command =>
  newCommand(
    'test',
    'Send one test message, and print the answer of the receiver. Exits with 1 when the message was not delivered.',
    ['stagely notifiers test ops', 'stagely notifiers test ops -n shop'],
  )
    .argument('<name>', 'name of the notifier')
    .action(async (name: string, flags: CommonFlags) => {
      const { rest } = await openClient(flags)
      const id = encodeURIComponent(`${flags.namespace ?? rest.namespace}/${name}`)
      const path = `/notifiers/${id}/test`
      const { delivered, answer } = await post<{ delivered: boolean; answer: string }>(rest, path)
      const said = `notifier/${name}: ${answer}`
      if (!delivered) throw new CliError(said)
      out(said)
    })
