/// <reference lib="dom" />
import { byId, setText } from "../dom.ts";
import {
  type FailureInfo,
  findLibrary,
  type MediaInfo,
  type MpegtsConfig,
  type MpegtsLibrary,
  type MpegtsPlayer,
} from "./mpegts.ts";
import { chosen, clearFacts, hide, showFact, showNotice, showStatus, video } from "./screen.ts";
import type { Protocol, Target } from "./targets.ts";
import { failureText, pictureText, rateText, soundText } from "./words.ts";

const STALL_MS = 3000;
const LOW_DELAY: MpegtsConfig = {
  enableStashBuffer: false,
  liveSync: true,
  liveSyncMaxLatency: 1.2,
  liveSyncTargetLatency: 0.6,
  liveBufferLatencyChasing: true,
  liveBufferLatencyMaxLatency: 3,
  liveBufferLatencyMinRemain: 0.6,
};
const SMOOTH: MpegtsConfig = {
  enableStashBuffer: true,
  liveBufferLatencyChasing: true,
  liveBufferLatencyMaxLatency: 15,
  liveBufferLatencyMinRemain: 4,
};
const ALWAYS: MpegtsConfig = {
  enableWorker: false,
  lazyLoad: false,
  autoCleanupSourceBuffer: true,
  autoCleanupMaxBackwardDuration: 30,
  autoCleanupMinBackwardDuration: 15,
};
/** Pauses before a stream that has ended is opened again, each longer; then it is given up. */
const REOPEN_MS = [250, 500, 1000, 2000, 4000, 8000, 8000, 8000];
/** What has played for so long was opened rightly: the next pause is the first again. */
const SETTLED_MS = 10000;

/** The player of the page: plays one stream at a time, and says in words what is going on. */
export class Playing {
  #library: MpegtsLibrary | undefined;
  #player: MpegtsPlayer | undefined;
  #target: Target | undefined;
  #progress = { time: -1, atMs: 0 };
  #wasMuted = true;
  /** The openings one after another of what is played: how many, why, and what the last one has come to. */
  #reopens = 0;
  #reopenReason: string | undefined;
  #reopenTimer: ReturnType<typeof setTimeout> | undefined;
  #playingSinceMs: number | undefined;

  /** What was asked for last, even if it has failed. */
  get target(): Target | undefined {
    return this.#target;
  }

  /** Whether a stream is played or is about to be. */
  get isOn(): boolean {
    return this.#player !== undefined || this.#reopenTimer !== undefined;
  }

  /** Plays a stream instead of what is played. */
  play(target: Target): void {
    this.#close();
    this.#target = target;
    this.#reopens = 0;
    this.#reopenReason = undefined;
    setText(byId("title"), target.title);
    document.title = `${target.title} · Headwater players`;
    this.showAddress();
    byId("address").hidden = false;
    clearFacts("picture", "sound", "rate", "delay");
    this.#library = findLibrary();
    if (this.#library === undefined) {
      this.fail("This browser can't play live streams in a page: it has no Media Source Extensions.");
      return;
    }
    showNotice("Waiting for the stream…", { busy: true });
    showStatus("waiting", "");
    byId("stop").hidden = false;
    hide("hint");
    this.#open(this.#library, target);
  }

  /** Goes on after a pause, or plays again what has ended. */
  again(): void {
    if (this.#player !== undefined && video.paused) this.#resume(this.#player);
    else if (this.#target !== undefined) this.play(this.#target);
  }

  /** Stops, and says why. */
  fail(text: string): void {
    this.#close();
    showNotice(text, { again: true });
    showStatus("stopped", "bad");
    hide("hint", "unmute", "stop");
    clearFacts("rate", "delay");
  }

  stop(): void {
    this.fail("Stopped.");
    showStatus("stopped", "");
  }

  /** Shows the address by which other players play this. */
  showAddress(): void {
    if (this.#target !== undefined) setText(byId("address-text"), this.#target[protocol()]);
  }

  /** Whether the sound is on outlives a stream. */
  keepVolume(): void {
    this.#wasMuted = video.muted;
    if (!video.muted) hide("unmute");
  }

  /** To be called twice a second: looks whether the picture moves. */
  watch(): void {
    if (this.#player === undefined) return;
    const nowMs = performance.now();
    const { buffered, currentTime } = video;
    if (buffered.length > 0) {
      const delay = Math.max(0, buffered.end(buffered.length - 1) - currentTime);
      setText(byId("delay"), `${delay.toFixed(1)} s`);
    }
    if (currentTime !== this.#progress.time) {
      const isFirst = this.#progress.time < 0 || video.readyState < 2;
      this.#progress = { time: currentTime, atMs: nowMs };
      if (!isFirst) this.#moved(nowMs);
    } else if (video.paused && video.readyState >= 2) {
      this.#progress.atMs = nowMs;
      showStatus("paused", "");
    } else if (nowMs - this.#progress.atMs > STALL_MS && byId("notice").hidden) {
      const seconds = Math.round((nowMs - this.#progress.atMs) / 1000);
      const hint = `Nothing has come for ${seconds} s: the publisher has left, or the network is slow.`;
      setText(byId("hint"), hint);
      byId("hint").hidden = false;
      showStatus("waiting", "");
    }
  }

  #moved(nowMs: number): void {
    this.#playingSinceMs ??= nowMs;
    if (nowMs - this.#playingSinceMs > SETTLED_MS) this.#reopens = 0;
    this.#reopenReason = undefined;
    showNotice(undefined);
    hide("hint");
    showStatus("playing", "good");
  }

  /** Opens what is to be played, once. */
  #open(library: MpegtsLibrary, target: Target): void {
    this.#close();
    this.#progress = { time: -1, atMs: performance.now() };
    this.#playingSinceMs = undefined;
    const source = { type: "flv", isLive: true, cors: true, url: target[protocol()] };
    const config = { ...(chosen("delay") === "smooth" ? SMOOTH : LOW_DELAY), ...ALWAYS };
    const made = library.createPlayer(source, config);
    this.#player = made;
    /** Events of a player that is no longer ours say nothing. */
    const on = <T extends readonly unknown[]>(event: string, handler: (...args: T) => void): void =>
      made.on(event, (...args) => {
        if (this.#player === made) handler(...args as unknown as T);
      });
    const { ERROR, LOADING_COMPLETE, MEDIA_INFO, STATISTICS_INFO } = library.Events;
    on(ERROR, (type: string, detail: string, info?: FailureInfo) => {
      this.#ended(failureText(type, detail, info, target, protocol()), /EarlyEof$/.test(detail));
    });
    on(LOADING_COMPLETE, () => this.#ended("The server has ended the stream.", true));
    on(MEDIA_INFO, showMedia);
    on(STATISTICS_INFO, ({ speed }: { readonly speed: number }) => setText(byId("rate"), rateText(speed)));
    video.muted = this.#wasMuted;
    made.attachMediaElement(video);
    made.load();
    this.#resume(made);
  }

  #resume(player: MpegtsPlayer): void {
    Promise.resolve(player.play()).catch((error: Error) => {
      if (this.#player !== player || error.name !== "NotAllowedError") return;
      showNotice("Your browser wants you to press play.", { again: true });
    });
  }

  /**
   * What is played has come to an end. A server ends what it can't go on with (another publisher with other media, its own restart), and
   * a network what it likes: the stream is opened again, unless it never was.
   */
  #ended(reason: string, wasOpen: boolean): void {
    const wasPlaying = this.#playingSinceMs !== undefined;
    const wasNever = !wasOpen && !wasPlaying && this.#reopens === 0;
    const pauseMs = REOPEN_MS[this.#reopens];
    if (wasNever || pauseMs === undefined || wasPlaying && video.paused) {
      this.fail(reason);
      return;
    }
    this.#close();
    this.#reopenReason ??= reason;
    showNotice(this.#reopenReason, { more: "Trying again…", busy: true, again: true });
    showStatus("waiting", "");
    hide("hint", "unmute");
    clearFacts("rate", "delay");
    // Not all at once who were thrown out at once.
    this.#reopenTimer = setTimeout(() => {
      if (this.#library !== undefined && this.#target !== undefined) this.#open(this.#library, this.#target);
    }, pauseMs * (0.75 + Math.random() / 2));
    this.#reopens += 1;
  }

  #close(): void {
    clearTimeout(this.#reopenTimer);
    this.#reopenTimer = undefined;
    const old = this.#player;
    this.#player = undefined;
    try {
      old?.destroy();
    } catch {
      // Had failed already.
    }
  }
}

function protocol(): Protocol {
  return chosen("protocol") === "ws" ? "ws" : "http";
}

function showMedia(media: MediaInfo): void {
  showFact("picture", pictureText(media));
  showFact("sound", soundText(media));
  byId("unmute").hidden = !media.hasAudio || !video.muted;
}
