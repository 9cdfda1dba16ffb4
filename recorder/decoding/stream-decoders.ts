import type { OwnCodec, PayloadFormat } from '../recording-plan.ts'
import { G722Decoder } from './g722-decoder.ts'
import { G726Decoder } from './g726-decoder.ts'
import { LinearDecoder } from './linear-decoder.ts'
import { OpusPayloadDecoder } from './opus-decoder.ts'
import type { PayloadDecoder } from './payload-decoder.ts'

type OwnFormat = PayloadFormat<OwnCodec>

/** The decoders of one stream, each made when its first payload comes. */
export class StreamDecoders {
  readonly #byFormat = new Map<OwnFormat, PayloadDecoder>()
  /** What is the same under another payload type, or in another offer, goes on with its state. */
  readonly #byKind = new Map<string, PayloadDecoder>()

  of(format: OwnFormat): PayloadDecoder {
    return this.#byFormat.get(format) ?? this.#add(format)
  }

  /** What comes now is from another source: no state holds any more. */
  reset(): void {
    this.#byFormat.clear()
    this.#byKind.clear()
  }

  #add(format: OwnFormat): PayloadDecoder {
    const kind = JSON.stringify({ ...format, payloadType: undefined })
    const decoder = this.#byKind.get(kind) ?? createDecoder(format)
    this.#byKind.set(kind, decoder)
    this.#byFormat.set(format, decoder)
    return decoder
  }
}

function createDecoder({ codec, clockRate, channels, isBigEndian }: OwnFormat): PayloadDecoder {
  switch (codec) {
    case 'G722':
      return new G722Decoder()
    case 'G726-16':
      return new G726Decoder(2, { isBigEndian: isBigEndian ?? false })
    case 'G726-24':
      return new G726Decoder(3, { isBigEndian: isBigEndian ?? false })
    case 'G726-32':
      return new G726Decoder(4, { isBigEndian: isBigEndian ?? false })
    case 'G726-40':
      return new G726Decoder(5, { isBigEndian: isBigEndian ?? false })
    case 'L16':
      return new LinearDecoder(clockRate, channels ?? 1)
    case 'OPUS':
      return new OpusPayloadDecoder()
  }
}
