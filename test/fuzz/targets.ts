import type { FuzzTarget } from './target.ts'
import { cryptoAttributes, descriptions, metadata, multiparts, sessions } from './targets/bodies.ts'
import { callLists } from './targets/call-lists.ts'
import { captures, configuration, environment, journal } from './targets/files.ts'
import { forks } from './targets/forks.ts'
import { headers } from './targets/headers.ts'
import { api, ranges } from './targets/http.ts'
import { oggFiles, payloads, rtcpPackets, rtpPackets, srtpPackets } from './targets/media.ts'
import { recordings } from './targets/recordings.ts'
import { clientFrames, sipDatagrams, sipDigest, sipStream } from './targets/sip.ts'

/** All that takes bytes of others, or of a disk. */
export const TARGETS: readonly FuzzTarget[] = [
  ...[sipDatagrams, sipStream, sipDigest, headers, clientFrames],
  ...[sessions, multiparts, descriptions, metadata, cryptoAttributes],
  ...[rtpPackets, rtcpPackets, srtpPackets, payloads, forks],
  ...[oggFiles, recordings, journal, configuration, environment, captures],
  ...[api, ranges, callLists],
]
