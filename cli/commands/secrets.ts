// secrets: what people do with secrets daily.
import type { Command } from 'commander'
import { newCommand } from '../options.ts'
import { deleteCommand } from '../secrets/delete.ts'
import { exportCommand } from '../secrets/export.ts'
import { getCommand } from '../secrets/get.ts'
import { importCommand } from '../secrets/import.ts'
import { listCommand } from '../secrets/list.ts'
import { setCommand } from '../secrets/set.ts'

export const command = (): Command => {
  const group = newCommand('secrets', 'List, get, set, import, export and delete secrets.', [
    'stagely secrets list --project shop',
    'stagely secrets set STRIPE_SECRET_KEY --project shop --scope backend < key.txt',
    'stagely secrets import .env --project shop --scope backend',
  ])
  group.addCommand(listCommand())
  group.addCommand(getCommand())
  group.addCommand(setCommand())
  group.addCommand(importCommand())
  group.addCommand(exportCommand())
  group.addCommand(deleteCommand())
  return group
}
