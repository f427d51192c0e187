// rollout: how the newest revision of a project reaches its stagelets. Subcommands as in kubectl.
import { newGroup, type Command } from '../options.ts'
import { rolloutHistoryCommand, undoCommand } from '../rollout/history.ts'
import { rolloutListCommand } from '../rollout/list.ts'
import { statusCommand } from '../rollout/status.ts'
import { pauseCommand, resumeCommand, retryCommand } from '../rollout/steer.ts'

export const command = (): Command =>
  newGroup('rollout', 'Manage rollouts of new revisions: status, history, pause, undo, retry.', [
    'stagely rollout status shop',
    'stagely rollout list stagelet/shop',
    'stagely rollout pause shop',
    'stagely rollout undo shop --to-revision 3',
    'stagely rollout retry stagelet/shop',
  ]).having(
    statusCommand,
    rolloutListCommand,
    rolloutHistoryCommand,
    undoCommand,
    pauseCommand,
    resumeCommand,
    retryCommand,
  )
