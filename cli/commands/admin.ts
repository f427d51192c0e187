// admin: what the people who run a controller do now and then.
import { command as adopt } from '../admin/adopt.ts'
import { command as agentKeys } from '../admin/agent-keys.ts'
import { command as audit } from '../admin/audit.ts'
import { command as backup } from '../admin/backup.ts'
import { command as keys } from '../admin/keys.ts'
import { command as slo } from '../admin/slo.ts'
import { command as supportBundle, noMachine, type AgentMachine } from '../admin/support-bundle.ts'
import { command as team } from '../admin/team.ts'
import { command as upgrade } from '../admin/upgrade.ts'
import { command as user } from '../admin/user.ts'
import { newGroup, type Command } from '../options.ts'

export const command = (machine: AgentMachine = noMachine): Command =>
  newGroup('admin', 'Run the installation: teams, users, the audit log, keys, backups, upgrades.', [
    'stagely admin team create team-a',
    'stagely admin user create ann --email ann@example.com',
    'stagely admin audit list --since 24h',
    'stagely admin keys status',
    'stagely admin backup --to stagely.backup',
  ]).having(team, user, audit, keys, backup, upgrade, agentKeys, adopt, slo, () =>
    supportBundle(machine),
  )
