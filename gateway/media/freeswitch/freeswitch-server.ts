import type { Clock, Timer } from '../../../base/clock.ts'
import type { Log } from '../../../base/log.ts'
import { messageOf, TallenneError } from '../../../base/tallenne-error.ts'
import { type CallMaker, isRefusal } from '../../sip/call-maker.ts'
import { type DialogRenewer, renewDialog } from '../../sip/renew-dialog.ts'
import type { CodecCapability } from '../../siprec/media-capabilities.ts'
import { askEventSocket } from './event-socket.ts'
import { callerOf, hangUpLeftovers, type NodeIdentity } from './leftover-channels.ts'
import {
  createMediaResourceFunction,
  type Endpoint,
  type EndpointCaller,
  type MediaServer,
} from './media-server-surface.ts'
import {
  codecsOf,
  type OwnAudio,
  offerFrom,
  placeholderOffer,
  readOwnAudio,
} from './plain-offer.ts'
import { settleWithin } from './settle-within.ts'

export interface FreeswitchAddress {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly password: string
  readonly profile: string
  /** Share of the calls; 0 takes none. */
  readonly weight: number
  /** Address of this process that the server reaches: for the event socket and for forks. */
  readonly listenAddress: string
  readonly advertisedAddress?: string | undefined
  /** How long each endpoint holds what it hears: the same for all, which stay in step by that. */
  readonly jitterBufferMs: number
}

export interface OpenedEndpoint {
  readonly endpoint: Endpoint
  /** What the endpoint's party gets: the answer to its offer, or an offer. */
  readonly localSdp: string
}

export type ServerState = 'connecting' | 'up' | 'down' | 'closed'

const ANSWER_MS = 3000
const ENDPOINT_MS = 5000
const CHECK_EVERY_MS = 5000
const FAILED_CHECKS = 2
/** A packet is held for as many times the jitter buffer's length at most. */
const LONGEST_HOLD = 4
const LONGEST_WAIT_MS = 10_000

/**
 * One FreeSWITCH of the pool: connects, watches that it answers, and connects again when it comes back. Gives out
 * endpoints while it is up. Owns the connection and its timers.
 */
export class FreeswitchServer {
  readonly address: FreeswitchAddress
  readonly #node: NodeIdentity
  readonly #framework: () => CallMaker | undefined
  readonly #clock: Clock
  readonly #log: Log
  readonly #onLost = new Set<(reason: string) => void>()
  readonly #endpoints = new Set<Endpoint>()
  #state: ServerState = 'connecting'
  #isDraining = false
  #server: MediaServer | undefined
  #ownAudio: OwnAudio | undefined
  #codecs: readonly CodecCapability[] = []
  #attempt = 0
  #failedChecks = 0
  #retry: Timer | undefined
  #watch: Timer | undefined

  constructor(options: {
    readonly address: FreeswitchAddress
    readonly nodeId: string
    /** The SIP server through which endpoints are called; undefined while none is connected. */
    readonly framework: () => CallMaker | undefined
    readonly clock: Clock
    readonly log: Log
  }) {
    this.address = options.address
    const { listenAddress, advertisedAddress } = options.address
    this.#node = { nodeId: options.nodeId, address: advertisedAddress ?? listenAddress }
    this.#framework = options.framework
    this.#clock = options.clock
    this.#log = options.log.child({ freeswitch: options.address.name })
  }

  /** What it decodes, by its own offer; none before it was up. */
  get codecs(): readonly CodecCapability[] {
    return this.#codecs
  }

  get state(): ServerState {
    return this.#state
  }

  get isDraining(): boolean {
    return this.#isDraining
  }

  /** Whether it takes new calls. */
  get takesCalls(): boolean {
    return this.#state === 'up' && !this.#isDraining && this.address.weight > 0
  }

  /** Endpoints of ours that live on it. */
  get endpoints(): number {
    return this.#endpoints.size
  }

  /** Begins to connect; what does not work is tried again until `close`. Resolves after the first attempt. */
  async start(): Promise<void> {
    this.#watch = this.#clock.every(CHECK_EVERY_MS, () => void this.#check())
    await this.#connect()
  }

  /** No new calls from now on; those that are up go on. */
  drain(isDraining: boolean): void {
    this.#isDraining = isDraining
  }

  /** Asks whether the server is there. */
  async answers(): Promise<boolean> {
    const { host, port, password } = this.address
    return askEventSocket({ host, port, password }, 'status', ANSWER_MS).then(
      () => true,
      () => false,
    )
  }

  /** Told when the server is lost with all that lived on it. Gives back how to stop listening. */
  onLost(listener: (reason: string) => void): () => void {
    this.#onLost.add(listener)
    return () => this.#onLost.delete(listener)
  }

  /**
   * An endpoint for a party's offer, or one whose party is to be offered something (null), and the description that
   * the party gets. The caller destroys the endpoint.
   * Rejects with a `TallenneError`: `no_media_server`, `media_timeout`, or `unusable_offer`.
   */
  async createEndpoint(remoteSdp: string | null): Promise<OpenedEndpoint> {
    const server = this.#server
    const own = this.#ownAudio
    if (server === undefined || own === undefined) {
      throw new TallenneError('no_media_server', `FreeSWITCH ${this.address.name} is not connected`)
    }
    if (remoteSdp !== null && !isDecryptable(remoteSdp)) {
      throw new TallenneError('unusable_offer', 'a secure offer without keys in RTP/SAVP')
    }
    const offer = remoteSdp === null ? placeholderOffer(own) : passable(remoteSdp)
    const endpoint = await this.#newEndpoint(server, offer).catch((error: unknown) => {
      if (!isUnusable(error)) throw error
      // FreeSWITCH says 488 as well where another process has the RTP port that it picked; the next one may be free.
      return this.#newEndpoint(server, offer)
    })
    // Without it every command waits some forty milliseconds for the one before to be acknowledged.
    endpoint.conn?.socket.setNoDelay(true)
    this.#endpoints.add(endpoint)
    try {
      await this.#prepare(endpoint, { isAddressKnown: remoteSdp !== null })
    } catch (error) {
      await this.destroyEndpoint(endpoint)
      throw error
    }
    const { sdp } = endpoint.local
    return { endpoint, localSdp: remoteSdp === null ? offerFrom(sdp, own) : sdp }
  }

  /**
   * Gives an endpoint its party's new description and resolves with the endpoint's answer. Rejects as `createEndpoint`
   * does; after `unusable_offer` the endpoint is as it was.
   */
  async modifyEndpoint(endpoint: Endpoint, remoteSdp: string): Promise<string> {
    // A party that only sends would else count as one that holds the call, and be heard no more.
    await this.#command(endpoint, 'uuid_setvar', 'rtp_disable_hold true')
    return this.#settled(endpoint.modify(remoteSdp), { what: 'take a new description' })
  }

  /**
   * Tells an endpoint that had no party's description of its first one. From then on it finds a party behind NAT again
   * wherever another description says it is.
   */
  async introduceParty(endpoint: Endpoint, remoteSdp: string): Promise<string> {
    const localSdp = await this.#settled(endpoint.modify(remoteSdp), {
      what: 'take a new description',
    })
    await this.#command(endpoint, 'uuid_setvar', 'disable_rtp_auto_adjust false')
    return localSdp
  }

  /** Releases an endpoint, however its server is. Never rejects. Idempotent. */
  async destroyEndpoint(endpoint: Endpoint): Promise<void> {
    if (!this.#endpoints.delete(endpoint)) return
    // The library forgets its dialog where all goes well.
    const { dialog } = endpoint
    if (endpoint.connected) {
      try {
        await settleWithin(endpoint.destroy(), {
          clock: this.#clock,
          withinMs: ANSWER_MS,
          what: 'hang up an endpoint',
        })
      } catch (error) {
        this.#log.warn({ reason: messageOf(error) }, 'endpoint did not hang up')
      }
    }
    // A FreeSWITCH that is gone says no BYE; ours ends the dialog in the SIP server, which nobody need wait for.
    if (dialog?.connected) void dialog.destroy().catch(() => undefined)
  }

  /**
   * Takes an endpoint's dialog up again after the SIP server that held it was lost. Its media does not depend on it;
   * one that FreeSWITCH has given up ends by itself.
   */
  async renewEndpoint(endpoint: Endpoint, framework: DialogRenewer): Promise<void> {
    const { dialog } = endpoint
    if (!endpoint.connected || dialog === null) return
    const renewal = await renewDialog(dialog, {
      framework,
      clock: this.#clock,
      localSdp: dialog.local.sdp,
      headers: {},
    })
    if (renewal.kind === 'renewed') endpoint.dialog = renewal.dialog
    else if (renewal.kind !== 'kept')
      this.#log.warn({ outcome: renewal.kind }, 'dialog with FreeSWITCH is not renewed')
  }

  close(): void {
    this.#state = 'closed'
    this.#retry?.cancel()
    this.#watch?.cancel()
    this.#disconnect()
  }

  /**
   * Gives what an endpoint hears a jitter buffer. Without one FreeSWITCH takes a packet for each tick of its own
   * timer: where one is a moment late it says silence, and from then on everything a packet later. So two streams of
   * one call would drift apart, and words break in the middle.
   */
  async #prepare(
    endpoint: Endpoint,
    { isAddressKnown }: { readonly isAddressKnown: boolean },
  ): Promise<void> {
    const { jitterBufferMs } = this.address
    const variables = [
      // A bridge would else set the jitter buffer aside.
      'rtp_jitter_buffer_during_bridge=true',
      // A stereo fork sends nothing of one party while a bridge says nothing of the other: so it is to say silence.
      'bridge_generate_comfort_noise=-1',
      // The party may speak before its address is told, and what it said would be thrown away then.
      ...(isAddressKnown ? [] : ['disable_rtp_auto_adjust=true']),
    ]
    await Promise.all([
      this.#command(endpoint, 'uuid_setvar_multi', variables.join(';')),
      this.#command(
        endpoint,
        'uuid_jitterbuffer',
        `${jitterBufferMs}:${jitterBufferMs * LONGEST_HOLD}`,
      ),
    ])
  }

  async #command(endpoint: Endpoint, command: string, words: string): Promise<void> {
    await this.#settled(endpoint.api(command, `${endpoint.uuid} ${words}`), {
      what: 'take a command',
    })
  }

  /** Null asks for FreeSWITCH's own offer. */
  async #newEndpoint(server: MediaServer, remoteSdp: string | null): Promise<Endpoint> {
    return this.#settled(
      // In a turn of its own: the library throws at once where it cannot take the offer.
      Promise.resolve().then(() =>
        server.createEndpoint({
          ...(remoteSdp === null ? {} : { remoteSdp }),
          headers: { From: `<sip:${callerOf(this.#node)}@localhost>` },
        }),
      ),
      { what: 'give an endpoint', late: (late) => void late.destroy().catch(() => undefined) },
    )
  }

  async #settled<Value>(
    work: Promise<Value>,
    how: { readonly what: string; readonly late?: (value: Value) => void },
  ): Promise<Value> {
    try {
      return await settleWithin(work, { clock: this.#clock, withinMs: ENDPOINT_MS, ...how })
    } catch (error) {
      if (error instanceof TallenneError) throw error
      const isOffer = isRefusal(error) && error.status === 488
      throw new TallenneError(isOffer ? 'unusable_offer' : 'no_media_server', messageOf(error), {
        cause: error,
      })
    }
  }

  async #connect(): Promise<void> {
    const { host, port, password, profile, listenAddress, advertisedAddress } = this.address
    try {
      // The library throws out of a callback where the profile is missing, so that is looked up before.
      const profiles = await askEventSocket({ host, port, password }, 'sofia status', ANSWER_MS)
      if (!new RegExp(`^\\s*${profile}\\s+profile\\s.*RUNNING`, 'm').test(profiles)) {
        throw new TallenneError(
          'no_media_server',
          `FreeSWITCH at ${host}:${port} runs no SIP profile ${profile}`,
        )
      }
      const server = await settleWithin(
        createMediaResourceFunction(this.#endpointCaller()).connect({
          address: host,
          port,
          secret: password,
          listenAddress,
          profile,
          ...(advertisedAddress === undefined ? {} : { advertisedAddress }),
        }),
        {
          clock: this.#clock,
          withinMs: ANSWER_MS,
          what: 'get ready',
          late: (late) => late.disconnect(),
        },
      )
      if (this.#state === 'closed') return server.disconnect()
      server.conn.socket.setNoDelay(true)
      server.on('end', () => this.#disconnected('its event socket ended'))
      server.on('error', (failure) => this.#disconnected(messageOf(failure)))
      this.#server = server
      const channels = new Set([...this.#endpoints].map(({ uuid }) => uuid))
      await hangUpLeftovers(this.address, {
        node: this.#node,
        isOurs: (uuid) => channels.has(uuid),
        log: this.#log,
      })
      this.#ownAudio = await this.#learnAudio(server)
      this.#codecs = codecsOf(this.#ownAudio)
      this.#attempt = 0
      this.#failedChecks = 0
      this.#state = 'up'
      this.#log.info({ host, port }, 'FreeSWITCH is up')
    } catch (error) {
      if (this.#state === 'closed') return
      this.#disconnect()
      this.#log.warn({ host, port, reason: messageOf(error) }, 'FreeSWITCH cannot be used')
      this.#connectLater()
    }
  }

  /** Calls through whatever SIP server is connected at the time, since servers come and go. */
  #endpointCaller(): EndpointCaller {
    return {
      createUAC: (uri, options) => {
        const framework = this.#framework()
        return new Promise((resolve, reject) => {
          if (framework === undefined) {
            throw new TallenneError('no_media_server', 'no SIP server is connected')
          }
          const progress = { cbRequest: () => {}, cbProvisional: () => {} }
          framework.createUAC(uri, options, progress, (failure, dialog) =>
            dialog ? resolve(dialog) : reject(failure),
          )
        })
      },
    }
  }

  /** Which codecs the server has: what it offers by itself. */
  async #learnAudio(server: MediaServer): Promise<OwnAudio> {
    const endpoint = await this.#newEndpoint(server, null)
    const audio = readOwnAudio(endpoint.local.sdp)
    await settleWithin(endpoint.destroy(), {
      clock: this.#clock,
      withinMs: ANSWER_MS,
      what: 'hang up an endpoint',
    })
    if (audio !== undefined) return audio
    throw new TallenneError('no_media_server', 'its own offer has no plain audio')
  }

  #connectLater(): void {
    const waitMs = Math.min(LONGEST_WAIT_MS, 500 * 2 ** Math.min(this.#attempt++, 10))
    this.#retry?.cancel()
    this.#retry = this.#clock.after(waitMs, () => void this.#connect())
  }

  /** A server whose event socket stays open and says nothing is as good as gone. */
  async #check(): Promise<void> {
    if (this.#state !== 'up' && (this.#state !== 'down' || this.endpoints === 0)) return
    const { host, port, password } = this.address
    try {
      await askEventSocket({ host, port, password }, 'status', ANSWER_MS)
      this.#failedChecks = 0
    } catch (error) {
      if (++this.#failedChecks >= FAILED_CHECKS) this.#lose(messageOf(error))
    }
  }

  /** No new calls until it is back. Those that are up hear of their own end: each has a connection of its own. */
  #disconnected(reason: string): void {
    if (this.#state !== 'up') return
    this.#state = 'down'
    this.#log.error({ reason, endpoints: this.endpoints }, 'connection to FreeSWITCH is lost')
    this.#disconnect()
    this.#connectLater()
  }

  /** It says nothing any more, and a machine that is gone closes no connections. */
  #lose(reason: string): void {
    this.#disconnected(reason)
    this.#failedChecks = 0
    for (const listener of [...this.#onLost]) listener(reason)
  }

  #disconnect(): void {
    this.#server?.disconnect()
    this.#server = undefined
  }
}

/** Whether an offer is plain, or brings its keys along (RFC 4568), which FreeSWITCH takes in RTP/SAVP alone. */
function isDecryptable(offer: string): boolean {
  if (/^m=audio \d+ (UDP\/TLS\/|RTP\/SAVPF)/m.test(offer)) return false
  return !/^m=audio \d+ RTP\/SAVP /m.test(offer) || /^a=crypto:/m.test(offer)
}

/**
 * The library takes every offer of RTP/SAVP for one that needs DTLS and refuses to pass it on, by its capital
 * letters. To FreeSWITCH they are all the same; DTLS itself (UDP/TLS/RTP/SAVP) the library is right to refuse.
 */
function passable(offer: string): string {
  return offer.replace(/^(m=audio \d+ )RTP\/SAVP /gm, '$1RTP/savp ')
}

function isUnusable(error: unknown): boolean {
  return error instanceof TallenneError && error.code === 'unusable_offer'
}
