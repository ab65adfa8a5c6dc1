// Protocol Buffers wire format, writing only: https://protobuf.dev/programming-guides/encoding/

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** A signed integer (number or bigint) as a base-128 varint; negative ones take ten bytes. */
export function varint(value) {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes = [];
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

/** Collects the fields of one message; finish() gives its bytes. */
export class Message {
  #parts = [];

  #tag(field, wireType) {
    this.#parts.push(varint((field << 3) | wireType));
  }

  int(field, value) {
    this.#tag(field, VARINT);
    this.#parts.push(varint(value));
    return this;
  }

  float(field, value) {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    this.#tag(field, FIXED32);
    this.#parts.push(bytes);
    return this;
  }

  bytes(field, bytes) {
    this.#tag(field, LENGTH_DELIMITED);
    this.#parts.push(varint(bytes.length), bytes);
    return this;
  }

  string(field, text) {
    return this.bytes(field, Buffer.from(text, 'utf8'));
  }

  message(field, message) {
    return this.bytes(field, message.finish());
  }

  /** Repeated integers, packed. */
  ints(field, values) {
    return this.bytes(field, Buffer.concat(values.map(varint)));
  }

  /** Repeated floats, packed. */
  floats(field, values) {
    const bytes = Buffer.alloc(values.length * 4);
    values.forEach((value, i) => bytes.writeFloatLE(value, i * 4));
    return this.bytes(field, bytes);
  }

  finish() {
    return Buffer.concat(this.#parts);
  }
}
