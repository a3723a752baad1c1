// The members of a zip archive that is a file here, as far as backups have need of it.

const END = 0x06054b50; // end of central directory record (APPNOTE 4.3.16)
const HEADER = 0x02014b50; // central directory header (4.3.12)
const END_SIZE = 22;
const COMMENT_MAX = 0xffff;
const DIRECTORY_MAX = 1 << 20; // bytes
const STORED = 0;
const DEFLATED = 8;

interface Member {
  way: number;
  packed: number; // bytes
  size: number;
  at: number; // of its local header
}

export class Zip {
  private constructor(
    private readonly file: Blob,
    private readonly members: ReadonlyMap<string, Member>,
  ) {}

  get names(): string[] {
    return [...this.members.keys()];
  }

  /** Throws RangeError for what is no such archive. */
  static async open(file: Blob): Promise<Zip> {
    const start = Math.max(0, file.size - END_SIZE - COMMENT_MAX);
    const tail = await view(file, start, file.size);
    let end = tail.byteLength - END_SIZE;
    while (end >= 0 && tail.getUint32(end, true) !== END) end--;
    if (end < 0) throw new RangeError("no end");
    const [size, from] = [tail.getUint32(end + 12, true), tail.getUint32(end + 16, true)];
    if (size > DIRECTORY_MAX) throw new RangeError("too many");
    const directory = await view(file, from, from + size);
    const members = new Map<string, Member>();
    for (let at = 0; at < size; ) {
      if (directory.getUint32(at, true) !== HEADER) throw new RangeError("no header");
      const length = directory.getUint16(at + 28, true);
      const name = new TextDecoder().decode(new Uint8Array(directory.buffer, at + 46, length));
      members.set(name, {
        way: directory.getUint16(at + 10, true),
        packed: directory.getUint32(at + 20, true),
        size: directory.getUint32(at + 24, true),
        at: directory.getUint32(at + 42, true),
      });
      at += 46 + length + directory.getUint16(at + 30, true) + directory.getUint16(at + 32, true);
    }
    return new Zip(file, members);
  }

  /** A member as JSON; at most so many bytes. Throws RangeError, SyntaxError. */
  async json<T>(name: string, limit: number): Promise<T> {
    const member = this.members.get(name);
    if (!member || member.size > limit || member.packed > limit) throw new RangeError(name);
    const head = await view(this.file, member.at, member.at + 30);
    const from = member.at + 30 + head.getUint16(26, true) + head.getUint16(28, true);
    const packed = this.file.slice(from, from + member.packed);
    if (member.way === STORED) return JSON.parse(await packed.text()) as T;
    if (member.way !== DEFLATED) throw new RangeError(name);
    const unpacked = packed.stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return JSON.parse(await new Response(unpacked).text()) as T;
  }
}

const view = async (file: Blob, from: number, to: number): Promise<DataView> => new DataView(await file.slice(from, to).arrayBuffer());
