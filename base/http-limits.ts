/** What a process bears of its HTTP clients. */
export interface HttpLimits {
  /** More than browsers, machines and watchers open at a time; what is beyond waits for nothing and is closed. */
  readonly connections: number
  /** From the connection, or the first byte of a further request, to the end of the headers. */
  readonly headersMs: number
  /** To the end of the body. */
  readonly requestMs: number
  /** Requests are looked at so often for whether they came in time. */
  readonly lookEveryMs: number
  /** A client that takes nothing of its answer for so long has gone, and with it the file or the ffmpeg behind that. */
  readonly stalledMs: number
  /** Between requests. Longer than the minute for which proxies keep a connection: who closes first loses none. */
  readonly idleMs: number
}

export const HTTP_LIMITS: HttpLimits = {
  connections: 1000,
  headersMs: 15_000,
  requestMs: 30_000,
  lookEveryMs: 1000,
  stalledMs: 60_000,
  idleMs: 72_000,
}
