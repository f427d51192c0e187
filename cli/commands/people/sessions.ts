// sessions: the browsers in which a person is logged in.
import { openClient } from '../../connect/client.ts'
import { newCommand, newGroup, type Command, type CommonFlags } from '../../options.ts'
import { pathPart } from '../../people/views.ts'
import { out } from '../../print.ts'
import { confirm } from '../../prompt.ts'

export const command = (): Command =>
  newGroup('sessions', 'End sessions of your browsers. "stagely get sessions" lists them.', [
    'stagely sessions revoke 7b1f6c0e-2a57-4a35-9c54-0d9a5d2f3b11',
  ]).having(revokeCommand)

const revokeCommand = (): Command =>
  newCommand('revoke', 'End a session: its browser is logged out at once.', [
    'stagely sessions revoke 7b1f6c0e-2a57-4a35-9c54-0d9a5d2f3b11 --yes',
  ])
    .asking()
    .argument('<id>', 'session, by id')
    .action(async (id: string, flags: CommonFlags & { yes?: boolean }) => {
      const details = ['Whoever uses it must log in again.']
      await confirm({ question: `End session ${id}?`, details }, flags.yes)
      const { rest } = await openClient(flags)
      await rest.call(`/me/sessions/${pathPart(id)}`, { method: 'DELETE' })
      out(`session/${id} revoked`)
    })
