// Where a stack is, and how it is started.
import * as z from 'zod'
import { limits, mapOf, name, path } from '../../resources/limits.ts'
import { containerPath, hostPath, pathIn } from '../../resources/paths.ts'

const variableName = name.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of a variable')

/** By variable of a Compose file. */
export const valuesSpec = mapOf(z.string().max(4_096), { most: 256, key: variableName })

/** By service. No `$`, which Compose would take for a variable. */
export const imagesSpec = mapOf(
  z
    .string()
    .max(512)
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._\/:@*-]*$/,
      'must be the name of an image: ghcr.io/acme/web:1.2',
    ),
  { most: limits.files, key: name.regex(/^[a-zA-Z0-9._-]+$/, 'must be the name of a service') },
)

export const composeSpec = z.strictObject({
  directory: hostPath('folder').describe(
    'Folder of the compose file, on the agent’s machine. Absolute.',
  ),
  copyOf: hostPath('source')
    .optional()
    .describe(
      'Where the directory does not exist, the agent makes it as a copy of this folder, without what containers write. With deleteVolumes it goes with the stack.',
    ),
  mounts: z
    .array(pathIn('other', path.min(1)))
    .max(256)
    .optional()
    .describe(
      'Where the directory is a copy: what its services may use although it is not in that folder, as absolute paths on the agent’s machine and names of volumes.',
    ),
  files: z
    .array(pathIn('inFolder', path.min(1)))
    .max(limits.files)
    .min(1)
    .optional()
    .describe(
      'Compose files relative to the directory; when absent, those that Compose itself would choose.',
    ),
  projectName: name
    .regex(
      /^[a-z0-9][a-z0-9_-]*$/,
      'must be a Compose project name: lower case letters, digits, "-" and "_"',
    )
    .optional()
    .describe('Compose project name; when absent, the one that Compose itself would choose.'),
  profiles: z.array(name.min(1)).max(limits.files).optional().describe('Profiles to enable.'),
  envFiles: z
    .array(pathIn('inFolder', path.min(1)))
    .max(limits.files)
    .optional()
    .describe('Files for ${VAR} in the compose file, in place of .env.'),
  requires: z
    .array(name.regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, 'must be the key of a secret'))
    .max(256)
    .optional()
    .describe(
      'Keys of secrets without which the stack is not started: its first rollout waits until each has a value.',
    ),
  values: valuesSpec
    .optional()
    .describe(
      'Values of ${VAR} in the compose file that are no secrets, such as a port. They go before .env, and before secrets of the same key.',
    ),
  images: imagesSpec
    .optional()
    .describe(
      'Images of services, in place of those of the compose file: web: ghcr.io/acme/web:1.2.',
    ),
  variables: z
    .array(variableName)
    .max(256)
    .optional()
    .describe(
      'Keys of global secrets that may fill ${VAR} anywhere in the compose file, such as in volumes, images and ports. Others fill it only where it makes a variable of a container.',
    ),
  fileTargets: z
    .array(containerPath())
    .max(256)
    .optional()
    .describe(
      'Paths in containers that file secrets may take although the system or an entry point runs them.',
    ),
  writableFolders: z
    .array(hostPath('other'))
    .max(256)
    .optional()
    .describe(
      'Folders on the agent’s machine that containers may write although files of the stack or links of its mounts lie there. Whoever runs code in such a container can become root on that machine.',
    ),
  adopt: z
    .array(pathIn('other', z.string().min(1).max(255)))
    .max(1024)
    .optional()
    .describe(
      'Names of volumes and networks of the Compose project that were there before the stack, and that it may use; also paths on the agent’s machine that it may write beside another project of its folder.',
    ),
  onChange: z
    .enum(['Hold', 'Deploy'])
    .default('Hold')
    .describe(
      'What happens after an edit of the compose file. Hold: the edit is reported. Deploy: the edit is rolled out.',
    ),
})

export type ComposeSpec = z.infer<typeof composeSpec>
