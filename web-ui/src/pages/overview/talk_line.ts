// The way of a voice to the device and of the room back: one RTCPeerConnection, only addresses of
// the two of us, no server in between.

import { post, whole } from "../../api";

export type Trouble = "insecure" | "denied" | "missing" | "lost" | "ended";

/** What keeps the browser from talking, where the device has no words for it. */
export class TalkError extends Error {
  constructor(readonly trouble: Trouble) {
    super(trouble);
  }
}

interface Answer {
  id: string;
  sdp: string;
  listening: boolean;
  words: string;
}

const GATHER = 500; // milliseconds until the offer goes with what addresses are known
const CONNECT = 10_000;
const FLOOR = -100; // dBFS; silence

/** A connection that stands. Ended by `close`, by the device, or by the network: then `onEnd` is told. */
export class TalkLine {
  onEnd: (why: Trouble) => void = () => undefined;
  private level: AnalyserNode | null = null;
  private samples = new Float32Array(1024);
  private sounds: AudioContext | null = null;
  private player: HTMLAudioElement | null = null;
  private closed = false;
  private readonly leave = (): void => this.close();

  private constructor(
    readonly connection: RTCPeerConnection,
    private readonly microphone: MediaStream | null,
    private answer: Answer = { id: "", sdp: "", listening: false, words: "" },
  ) {}

  get id(): string {
    return this.answer.id;
  }
  /** Whether the room is heard here; else why not, in the device's words. */
  get listening(): boolean {
    return this.answer.listening;
  }
  get words(): string {
    return this.answer.words;
  }
  get canTalk(): boolean {
    return this.microphone !== null;
  }

  /** Connect. Throws TalkError, and Problem for what the device refuses. */
  static async open({ talk, listen }: { talk: boolean; listen: boolean }): Promise<TalkLine> {
    const microphone = talk ? await askForMicrophone() : null;
    const line = new TalkLine(new RTCPeerConnection({ iceServers: [] }), microphone);
    try {
      await line.connect(listen);
    } catch (error) {
      line.close();
      throw error;
    }
    return line;
  }

  /** Let the device hear the microphone, or not. */
  speak(on: boolean): void {
    for (const track of this.microphone?.getTracks() ?? []) track.enabled = on;
  }

  /** How loud the microphone is, in dB of full scale. */
  loudness(): number {
    if (!this.level) return FLOOR;
    this.level.getFloatTimeDomainData(this.samples);
    const power = this.samples.reduce((sum, sample) => sum + sample * sample, 0) / this.samples.length;
    return power > 0 ? Math.max(FLOOR, 10 * Math.log10(power)) : FLOOR;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.connection.close();
    for (const track of this.microphone?.getTracks() ?? []) track.stop();
    void this.sounds?.close();
    if (this.player) this.player.srcObject = null;
    removeEventListener("pagehide", this.leave);
    // Also when the page is closed: the device would wonder for a while where we are.
    if (this.id) void fetch(whole(`/talk/${this.id}`), { method: "DELETE", keepalive: true, headers: { "X-Requested-With": "page" } }).catch(() => undefined);
  }

  /** It has ended by itself. */
  end(why: Trouble): void {
    if (this.closed) return;
    this.close();
    this.onEnd(why);
  }

  private async connect(listen: boolean): Promise<void> {
    const { connection, microphone } = this;
    if (microphone) this.watch(microphone);
    connection.addTransceiver(microphone?.getAudioTracks()[0] ?? "audio", { direction: microphone ? (listen ? "sendrecv" : "sendonly") : "recvonly" });
    connection.ontrack = ({ track }) => this.play(new MediaStream([track]));
    await connection.setLocalDescription(await connection.createOffer());
    await gathered(connection);
    addEventListener("pagehide", this.leave);
    this.answer = await post<Answer>("/talk", { sdp: connection.localDescription!.sdp });
    await connection.setRemoteDescription({ type: "answer", sdp: this.answer.sdp });
    await connected(connection);
    connection.onconnectionstatechange = () => /failed|closed|disconnected/.test(connection.connectionState) && this.end("lost");
  }

  private watch(microphone: MediaStream): void {
    this.speak(false);
    this.sounds = new AudioContext();
    this.level = this.sounds.createAnalyser();
    this.level.fftSize = 2 * this.samples.length;
    this.sounds.createMediaStreamSource(microphone).connect(this.level);
  }

  private play(room: MediaStream): void {
    this.player = new Audio();
    this.player.srcObject = room;
    void this.player.play().catch(() => undefined);
  }
}

async function askForMicrophone(): Promise<MediaStream> {
  if (!window.isSecureContext || !navigator.mediaDevices) throw new TalkError("insecure");
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    throw new TalkError(name === "NotFoundError" || name === "NotReadableError" ? "missing" : "denied");
  }
}

function gathered(connection: RTCPeerConnection): Promise<void> {
  return new Promise((done) => {
    const look = (): void => void (connection.iceGatheringState === "complete" && done());
    connection.onicegatheringstatechange = look;
    look();
    setTimeout(done, GATHER);
  });
}

function connected(connection: RTCPeerConnection): Promise<void> {
  return new Promise((done, refuse) => {
    const over = setTimeout(() => refuse(new TalkError("lost")), CONNECT);
    const look = (): void => {
      if (connection.connectionState === "connected") done();
      else if (/failed|closed/.test(connection.connectionState)) refuse(new TalkError("lost"));
      else return;
      clearTimeout(over);
    };
    connection.onconnectionstatechange = look;
    look();
  });
}
