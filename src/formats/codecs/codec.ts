/** One encoded frame, and what the header says of its samples (PS3.3, C.7.6.3). */
export interface EncodedFrame {
  /** All fragments of the frame, joined. */
  readonly bytes: Uint8Array;
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly signed: boolean;
}

/** A frame's samples. */
export interface DecodedFrame {
  /** rows · columns · samplesPerPixel, interleaved by pixel; sign-extended where signed. */
  readonly samples: Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array;
  readonly samplesPerPixel: number;
  /** The decoder has turned its own colour transform back: the samples are RGB whatever the header declares. */
  readonly rgb: boolean;
}

/**
 * Decodes one frame.
 *
 * @throws FormatError where the stream is damaged or contradicts the header's size or depth
 */
export type Codec = (frame: EncodedFrame) => DecodedFrame;
