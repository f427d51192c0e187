// sessions: the browsers in which a person is logged in.
import type { Session } from '../../../src/generated/rest-types.ts'
import { newCommand, newGroup, type Command, type CommonFlags } from '../../options.ts'
import { pathPart, sessionView } from '../../people/views.ts'
import { out } from '../../print.ts'
import { confirm } from '../../prompt.ts'
import { printRecords } from '../../output/records.ts'
import { openRest } from '../../connect/rest.ts'

export const command = (): Command =>
  newGroup('sessions', 'List and end the sessions of your browsers.', [
    'stagely sessions list',
    'stagely sessions revoke 7b1f6c0e-2a57-4a35-9c54-0d9a5d2f3b11',
  ]).having(listCommand, revokeCommand)

const listCommand = (): Command =>
  newCommand('list -o', 'List the browsers in which you are logged in.', [
    'stagely sessions list',
    'stagely sessions list -o wide',
  ]).action(async (flags: CommonFlags) => {
    const rest = await openRest(flags)
    const sessions = await rest.list<Session>('/me/sessions', 'sessions')
    await printRecords(sessions, sessionView, flags.output)
  })

const revokeCommand = (): Command =>
  newCommand('revoke', 'End a session: its browser is logged out at once.', [
    'stagely sessions revoke 7b1f6c0e-2a57-4a35-9c54-0d9a5d2f3b11 --yes',
  ])
    .asking()
    .argument('<id>', 'session, by id')
    .action(async (id: string, flags: CommonFlags & { yes?: boolean }) => {
      const details = ['Whoever uses it must log in again.']
      await confirm({ question: `End session ${id}?`, details }, flags.yes)
      const rest = await openRest(flags)
      await rest.call(`/me/sessions/${pathPart(id)}`, { method: 'DELETE' })
      out(`session/${id} revoked`)
    })
