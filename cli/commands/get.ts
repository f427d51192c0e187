// get: lists objects, or shows some.
import { narrowToProject, get, type ProjectFlags } from '../objects/get.ts'
import { newCommand, type Command } from '../options.ts'
import type { PeopleFlags } from '../people/listed.ts'
import { listedWordOf, listedWords } from '../people/listed-words.ts'
import { usageError } from '../errors.ts'

export const command = (): Command =>
  newCommand('get -A -l -o=objects', 'List objects, or show some as a table, YAML or JSON.', [
    'stagely get stagelets',
    'stagely get stagelets,secrets -A',
    'stagely get rotations -p shop',
    'stagely get stagelet shop -o yaml',
    'stagely get stagely -l team=web -o wide',
    'stagely get stagelets -w',
    "stagely get stagelet shop -o jsonpath='{.status.revision}'",
    'stagely get members --team team-a',
    'stagely get tokens --team team-a -o wide',
  ])
    .argument('<kind...>', 'KIND[,KIND] [NAME...], or KIND/NAME...; "stagely" is every kind')
    .option('-w, --watch', 'go on with each change of a kind, until it is stopped')
    .option('-p, --project <name>', 'only what lies in this project')
    .option('--team <team>', 'members of this team, or tokens of its machines')
    .option('--user <name>', 'tokens of this user; for admins')
    .addHelpText('after', `\nBesides kinds it lists ${listedWords.join(', ')}.`)
    .action(getAny)

const getAny = async (
  words: string[],
  flags: ProjectFlags & PeopleFlags & { watch?: boolean },
): Promise<void> => {
  const listed = listedWordOf(words[0] ?? '')
  if (listed !== undefined)
    return (await import('../people/listed.ts')).getListed(listed, words, flags)
  for (const flag of ['team', 'user'] as const)
    if (flags[flag] !== undefined) throw usageError(`--${flag} does not go with ${words[0]}`)
  if (flags.watch === true) await (await import('../objects/watch.ts')).watchTargets(words, flags)
  else await get(words, flags, (api, targets) => narrowToProject(api, targets, flags))
}
