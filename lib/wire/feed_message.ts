import { readDataMessage } from "./data_message.ts";
import { MESSAGE_TYPE } from "./message_type.ts";

/** Audio, video or data as it enters a stream. */
export interface FeedMessage {
  /** 8 audio, 9 video, 18 data (AMF0, `@setDataFrame` removed). */
  readonly typeId: number;
  /** Milliseconds; 32 bits. */
  readonly timestamp: number;
  /** A view into the message's payload where possible. */
  readonly payload: Uint8Array;
}

/** What a message of a publisher says to a stream; undefined for nothing, and for a message of another kind. */
export function readFeedMessage(message: FeedMessage): FeedMessage | undefined {
  const { typeId, timestamp, payload } = message;
  switch (typeId) {
    case MESSAGE_TYPE.audio:
    case MESSAGE_TYPE.video:
      return { typeId, timestamp, payload };
    case MESSAGE_TYPE.data:
    case MESSAGE_TYPE.dataAmf3: {
      const body = readDataMessage(payload);
      return body && { typeId: MESSAGE_TYPE.data, timestamp, payload: body };
    }
    default:
      return undefined;
  }
}
