// secrets: the daily work with secrets.
import { newGroup, type Command } from '../options.ts'
import { deleteCommand } from '../secrets/delete.ts'
import { diffCommand } from '../secrets/diff.ts'
import { dueCommand } from '../secrets/due.ts'
import { editCommand } from '../secrets/edit.ts'
import { exportCommand } from '../secrets/export.ts'
import { generateCommand, rotateCommand } from '../secrets/generate.ts'
import { getCommand } from '../secrets/get.ts'
import { secretHistoryCommand } from '../secrets/history.ts'
import { importCommand } from '../secrets/import.ts'
import { secretListCommand } from '../secrets/list.ts'
import { purgeCommand, restoreCommand } from '../secrets/restore.ts'
import { rollbackCommand } from '../secrets/rollback.ts'
import { setCommand } from '../secrets/set.ts'

export const command = (): Command =>
  newGroup('secrets', 'Work with secrets and their history; values are shown only where asked.', [
    'stagely secrets list --project shop',
    'stagely secrets set STRIPE_SECRET_KEY --project shop --scope backend < key.txt',
    'stagely secrets import .env --project shop --scope backend',
  ]).having(
    secretListCommand,
    getCommand,
    setCommand,
    editCommand,
    generateCommand,
    rotateCommand,
    importCommand,
    exportCommand,
    deleteCommand,
    dueCommand,
    secretHistoryCommand,
    diffCommand,
    rollbackCommand,
    restoreCommand,
    purgeCommand,
  )
