// whoami: the identity and the rights that the controller gives you.
import { openClient } from '../../connect/client.ts'
import type { Me } from '../../../src/generated/rest-types.ts'
import { narrowingText } from '../../../src/access/place.ts'
import { newCommand, type Command, type CommonFlags } from '../../options.ts'
import { printAs } from '../../output/output.ts'
import { renderColumns } from '../../output/table.ts'

export const command = (): Command =>
  newCommand('whoami -o', 'Show who you are, your roles, and what your token leaves of them.', [
    'stagely whoami',
    'stagely whoami -o json',
  ]).action(async (flags: CommonFlags) => {
    const { body } = await (await openClient(flags)).rest.call<Me>('/me')
    await printAs(body, flags.output, () => render(body, flags.output))
  })

const render = (me: Me, output: CommonFlags['output']): string => {
  if (output === 'name') return me.name
  return [
    `${me.name} (${me.kind}${me.admin ? ', admin' : ''})`,
    ...limitsOf(me),
    ...teamsOf(me),
  ].join('\n')
}

const limitsOf = ({ token }: Me): string[] => {
  const limits = [
    ...(token.read_only ? ['reading'] : []),
    ...(token.role === undefined ? [] : [`the role ${token.role}`]),
    ...(token.teams === undefined ? [] : [`team ${token.teams.join(', ')}`]),
    narrowingText(token),
  ]
  const named = limits.filter((text) => text !== '')
  return named.length === 0 ? [] : [`The token is limited to ${named.join(', ')}.`]
}

const teamsOf = ({ teams, admin }: Me): string[] => {
  if (teams.length === 0) return admin ? [] : ['In no team: ask an owner to add you.']
  return [
    renderColumns(
      ['TEAM', 'ROLE', 'ONLY'],
      teams.map((member) => [member.team, member.role, narrowingText(member)]),
    ),
  ]
}
