import { DirectTrunk, type DirectTrunkOptions } from './direct-trunk.ts'
import type { TrunkMedia, TrunkMediaPlane, TrunkMediaRequest } from './trunk-media.ts'

/** Trunk calls on the engines' own sockets: each call is a recording whose two streams are relayed to each other. */
export class DirectTrunkPlane implements TrunkMediaPlane {
  readonly #options: Omit<DirectTrunkOptions, 'onClosed'>
  readonly #open = new Set<DirectTrunk>()

  constructor(options: Omit<DirectTrunkOptions, 'onClosed'>) {
    this.#options = options
    options.plane.onLost((recordingId, cause) => {
      for (const trunk of [...this.#open]) {
        if (trunk.recordingId === recordingId) void trunk.mediaLost(cause)
      }
    })
  }

  async open(request: TrunkMediaRequest): Promise<TrunkMedia> {
    const trunk: DirectTrunk = new DirectTrunk(request, {
      ...this.#options,
      onClosed: () => this.#open.delete(trunk),
    })
    this.#open.add(trunk)
    try {
      await trunk.open()
    } catch (error) {
      this.#open.delete(trunk)
      throw error
    }
    return trunk
  }
}
