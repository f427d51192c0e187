// The images that a stagelet chooses for services, as a file that Compose reads after the user's files. See ADR 0085.
import { mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { readIfThere, writeWhole } from '../../src/kernel/whole-file.ts'
import type { StackFault } from './allowed-folders.ts'

type Images = Readonly<Record<string, string>>

/** A service with another image is not built. Names and images hold nothing that YAML or Compose would take for more. */
const render = (images: Images): string => {
  const services = Object.entries(images).map(
    ([service, image]) =>
      `  ${JSON.stringify(service)}:\n    image: ${JSON.stringify(image)}\n    build: !reset null\n`,
  )
  return `services:\n${services.join('')}`
}

/** Writes the file where it says something else. */
export const writeImages = async (path: string, images: Images): Promise<void> => {
  const text = render(images)
  if ((await readIfThere(path)) === text) return
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeWhole(path, text, { mode: 0o600 })
}

export const removeImages = (path: string): Promise<void> => rm(path, { force: true })

/** A service that the user's files do not have would be a new one, with nothing but an image. */
export const faultOfImages = (
  images: Images,
  services: readonly string[],
): StackFault | undefined => {
  const unknown = Object.keys(images).filter((service) => !services.includes(service))
  if (unknown.length === 0) return undefined
  return {
    reason: 'ComposeInvalid',
    message: `spec.compose.images names ${unknown.join(', ')}, which the Compose files do not have: they have ${services.join(', ')}`,
  }
}
