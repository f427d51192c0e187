// What the engine tells of all containers and images, also those of nobody's stack.

/** What may hold a value; of an image, or of a container. */
export interface EngineConfig {
  /** `NAME=value`; holds secrets. */
  readonly Env?: readonly string[] | null
  readonly Cmd?: readonly string[] | null
  readonly Entrypoint?: readonly string[] | null
  readonly Labels?: Readonly<Record<string, string>> | null
  readonly Healthcheck?: { readonly Test?: readonly string[] | null } | null
}

export interface EngineMount {
  readonly Type: string
  /** On the machine. */
  readonly Source?: string
  /** In the container. */
  readonly Destination: string
}

interface ImageSummary {
  readonly Id: string
  readonly RepoTags?: readonly string[] | null
}

export interface ConfigsOfEngine {
  /** undefined when there is no such container. */
  configOf(
    id: string,
  ): Promise<
    { readonly Config: EngineConfig; readonly Mounts?: readonly EngineMount[] } | undefined
  >
  listImages(): Promise<ImageSummary[]>
  /** undefined when there is no such image. */
  imageConfig(id: string): Promise<EngineConfig | undefined>
}

type Get = <T>(path: string) => Promise<T | undefined>

export const configsOfEngine = (get: Get): ConfigsOfEngine => ({
  configOf: (id) => get(`/containers/${id}/json`),
  listImages: async () => (await get<ImageSummary[]>('/images/json')) ?? [],
  imageConfig: async (id) =>
    (await get<{ Config?: EngineConfig | null }>(`/images/${id}/json`))?.Config ?? undefined,
})
