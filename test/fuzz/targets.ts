import type { FuzzTarget } from './target.ts'
import { cryptoAttributes, descriptions, metadata, multiparts, sessions } from './targets/bodies.ts'
import { captures, configuration, environment, journal } from './targets/files.ts'
import { forks } from './targets/forks.ts'
import { api, ranges } from './targets/http.ts'
import { oggFiles, payloads, rtcpPackets, rtpPackets, srtpPackets } from './targets/media.ts'
import { clientFrames, sipDatagrams, sipDigest, sipStream } from './targets/sip.ts'

/** All that takes bytes of others, or of a disk. */
export const TARGETS: readonly FuzzTarget[] = [
  ...[sipDatagrams, sipStream, sipDigest, clientFrames],
  ...[sessions, multiparts, descriptions, metadata, cryptoAttributes],
  ...[rtpPackets, rtcpPackets, srtpPackets, payloads, forks],
  ...[oggFiles, journal, configuration, environment, captures],
  ...[api, ranges],
]
