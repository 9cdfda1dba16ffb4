import { Gauge, type Registry } from 'prom-client'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { isFilteredCodec } from '../../recorder/decoding/filter-kinds.ts'
import { probeDecoders } from '../../recorder/decoding/probe-decoders.ts'
import type { CodecName } from '../../recorder/recording-plan.ts'
import { codecsNamed } from '../siprec/known-codecs.ts'

/**
 * The configured codecs that are really decoded on this machine, in their order: those that ffmpeg decodes are tried
 * with a known sample. What is not decoded is logged, and not taken in any answer.
 */
export async function findDecodableCodecs(
  names: readonly string[],
  {
    clock,
    log,
    registry,
  }: { readonly clock: Clock; readonly log: Log; readonly registry: Registry },
): Promise<readonly CodecName[]> {
  const codecs = names.flatMap(codecsNamed)
  const findings = await probeDecoders(codecs.filter(isFilteredCodec), clock)
  const missing = new Map<CodecName, string>()
  for (const { codec, problem } of findings) {
    if (problem === undefined) continue
    missing.set(codec, problem)
    log.warn({ codec, problem }, 'codec is not decoded here, and not taken')
  }
  const decodable = new Gauge({
    name: 'tallenne_codec_decodable',
    help: '1 where the configured codec is decoded on this machine, found at the start.',
    labelNames: ['codec'],
    registers: [registry],
  })
  for (const codec of codecs) decodable.set({ codec }, missing.has(codec) ? 0 : 1)
  return codecs.filter((codec) => !missing.has(codec))
}
