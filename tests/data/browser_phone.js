// A phone in a browser, as little of one as there can be: SIP as text over WebSocket (RFC 7118).
"use strict";

class Phone {
  constructor(url, via) {
    this.via = via; // WS or WSS
    this.host = `${Math.random().toString(36).slice(2)}.invalid`; // RFC 7118 §5.1: it has no address
    this.callId = Math.random().toString(36).slice(2);
    this.number = 0;
    this.heard = []; // all messages
    this.waiting = [];
    this.closed = new Promise((resolve) => (this.tell = resolve));
    this.socket = new WebSocket(url, "sip");
    this.socket.onmessage = (event) => this.take(event.data);
    this.socket.onclose = (event) => this.tell(event.code);
    this.ready = new Promise((resolve, reject) => {
      this.socket.onopen = () => resolve(this.socket.protocol);
      this.socket.onerror = () => reject(new Error("no connection"));
    });
  }

  send(method, { fields = [], body = "", number = ++this.number, branch = method + number } = {}) {
    const tag = this.toTag ? `;tag=${this.toTag}` : "";
    const lines = [
      `${method} ${this.target} SIP/2.0`,
      `Via: SIP/2.0/${this.via} ${this.host};branch=z9hG4bK${this.callId}${branch}`,
      `From: <sip:browser@example.com>;tag=${this.callId}`,
      `To: <${this.target}>${tag}`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${number} ${method}`,
      "Max-Forwards: 70",
      `Contact: <sip:browser@${this.host};transport=ws>`,
      ...fields,
    ];
    this.say(`${lines.join("\r\n")}\r\n\r\n${body}`);
  }

  say(text) {
    this.socket.send(this.binary ? new TextEncoder().encode(text) : text);
  }

  take(text) {
    this.heard.push(text);
    if (text.startsWith("BYE ")) {
      const kept = text.split("\r\n").filter((line) => /^(Via|From|To|Call-ID|CSeq):/i.test(line));
      this.say(`SIP/2.0 200 OK\r\n${kept.join("\r\n")}\r\n\r\n`);
    }
    this.waiting = this.waiting.filter(({ wanted, resolve }) => {
      const found = wanted.test(text);
      if (found) resolve(text);
      return !found;
    });
  }

  /** The next message that looks so, or the last if it does already. */
  until(wanted) {
    const known = this.heard.find((text) => wanted.test(text));
    return known ? Promise.resolve(known) : new Promise((resolve) => {
      this.waiting.push({ wanted, resolve });
    });
  }

  async ask(target) {
    this.target = target;
    this.send("OPTIONS");
    return (await this.until(/^SIP\/2.0 [2-6]/)).split("\r\n")[0];
  }

  async call(target, sdp, port) {
    const callId = Math.random().toString(36).slice(2);
    Object.assign(this, { target, callId, toTag: "", heard: [] });
    const body = sdp.replaceAll("{port}", port);
    this.send("INVITE", { fields: ["Content-Type: application/sdp"], body });
    const answer = await this.until(/^SIP\/2.0 [2-6][^]*\r\nCSeq: \d+ INVITE/);
    this.toTag = /\r\nTo:.*;tag=([^;\r]+)/.exec(answer)[1];
    this.send("ACK", { number: this.number });
    return answer;
  }

  /** Call with the browser's own media: ICE, DTLS-SRTP, and a tone in place of a microphone. */
  async whistle(target, hertz, gain) {
    const peer = (this.peer = new RTCPeerConnection());
    const context = new AudioContext({ sampleRate: 48000 });
    const tone = new OscillatorNode(context, { frequency: hertz });
    const line = context.createMediaStreamDestination();
    tone.connect(new GainNode(context, { gain })).connect(line);
    tone.start();
    line.stream.getTracks().forEach((track) => peer.addTrack(track, line.stream));
    const known = RTCRtpSender.getCapabilities("audio").codecs;
    const wanted = known.filter((codec) => /PCMU|telephone/.test(codec.mimeType));
    peer.getTransceivers()[0].setCodecPreferences(wanted);
    await peer.setLocalDescription();
    await new Promise((resolve) => {
      peer.onicecandidate = ({ candidate }) => candidate || resolve();
    });
    const answer = await this.call(target, peer.localDescription.sdp, 9);
    const sdp = answer.slice(answer.indexOf("\r\n\r\n") + 4);
    await peer.setRemoteDescription({ type: "answer", sdp });
    await new Promise((resolve) => {
      peer.onconnectionstatechange = () => peer.connectionState === "connected" && resolve();
    });
    return answer;
  }

  /** How many packets of sound have come. */
  async packets() {
    const reports = [...(await this.peer.getStats()).values()];
    return reports.find((report) => report.type === "inbound-rtp")?.packetsReceived ?? 0;
  }

  async hangUp() {
    this.heard = [];
    this.send("BYE");
    return (await this.until(/^SIP\/2.0 [2-6]/)).split("\r\n")[0];
  }
}
