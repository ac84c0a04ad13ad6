import type { LocalStatistics } from "../types/LocalStatistics";
import type { RemoteStatistics } from "../types/RemoteStatistics";
import type { Statistics } from "../types/Statistics";

/** A figure in words, with its unit. */
export type Row = { label: string; value: string };

/** Figures that belong together. */
export type Section = { title: string; rows: readonly Row[] };

const NBSP = "\u00a0";

export function perCent(value: number): string {
  return `${value}${NBSP}%`;
}

/** Every figure that the backend measures; it tells the others as 0, and they have no line here. */
export function sectionsOf(
  statistics: Statistics,
  nameOf: (userId: string) => string,
): readonly Section[] {
  const { localStatisticsArray: local, remoteStatisticsArray: remote } = statistics;
  return [
    { title: "Your connection", rows: connection(statistics) },
    ...local.map((one) => ({ title: `You send${stream(one.streamType)}`, rows: media(one) })),
    ...remote.map((one) => ({
      title: `${nameOf(one.userId)}${stream(one.streamType)}`,
      rows: [...media(one), ...journey(one)],
    })),
    { title: "This computer", rows: computer(statistics) },
  ].filter(({ rows }) => rows.length > 0);
}

function connection(figures: Statistics): Row[] {
  return [
    row("To the server and back", figures.rtt === 0 ? "Not known yet" : ms(figures.rtt)),
    row("Lost on the way to the server", perCent(figures.upLoss)),
    row("Lost on the way from the server", perCent(figures.downLoss)),
    row("Sent since you joined", bytes(figures.sentBytes)),
    row("Received since you joined", bytes(figures.receivedBytes)),
  ];
}

function computer(figures: Statistics): Row[] {
  const { systemMemoryInMB: all, systemMemoryUsageInMB: used } = figures;
  const rows = [
    row("Processor used by Confab", perCent(figures.appCpu)),
    row("Processor used by everything", perCent(figures.systemCpu)),
    row("Memory used by Confab", memory(figures.appMemoryUsageInMB)),
  ];
  if (all > 0) rows.push(row("Memory used by everything", `${memory(used)} of ${memory(all)}`));
  return rows;
}

/** What a stream of either direction carries. */
function media(one: LocalStatistics | RemoteStatistics): Row[] {
  const rows: Row[] = [];
  if (one.width > 0 || one.videoBitrate > 0) {
    rows.push(
      row("Picture", one.width === 0 ? "None yet" : `${one.width} × ${one.height} pixels`),
      row("Pictures a second", String(one.frameRate)),
      row("Picture data", rate(one.videoBitrate)),
    );
  }
  if (one.audioSampleRate > 0) {
    rows.push(
      row("Sound", `${one.audioSampleRate / 1000}${NBSP}kHz`),
      row("Sound data", rate(one.audioBitrate)),
    );
  }
  return rows;
}

/** What a received stream went through on its way. */
function journey(one: RemoteStatistics): Row[] {
  const rows: Row[] = [];
  if (one.width > 0 || one.videoBitrate > 0) {
    rows.push(row("Picture lost on the way", perCent(one.videoPacketLoss)));
  }
  if (one.audioSampleRate > 0) {
    rows.push(
      row("Sound lost on the way", perCent(one.audioPacketLoss)),
      row("Sound waits to be played", ms(one.jitterBufferDelay)),
      row(
        "Gaps in the sound",
        `${seconds(one.audioTotalBlockTime)} (${perCent(one.audioBlockRate)})`,
      ),
    );
  }
  return rows;
}

/** Which of somebody's pictures, where it is not simply their camera. */
function stream(type: number): string {
  return type === 0 ? "" : type === 1 ? ", small picture" : ", screen";
}

function row(label: string, value: string): Row {
  return { label, value };
}

function ms(value: number): string {
  return `${value}${NBSP}ms`;
}

function seconds(milliseconds: number): string {
  return `${short(milliseconds / 1000)}${NBSP}s`;
}

function rate(kilobits: number): string {
  return kilobits < 1000 ? `${kilobits}${NBSP}kbit/s` : `${short(kilobits / 1000)}${NBSP}Mbit/s`;
}

function bytes(value: number): string {
  if (value < 1e6) return `${Math.round(value / 1e3)}${NBSP}kB`;
  return value < 1e9 ? `${short(value / 1e6)}${NBSP}MB` : `${short(value / 1e9)}${NBSP}GB`;
}

function memory(megabytes: number): string {
  return megabytes < 1024 ? `${megabytes}${NBSP}MB` : `${short(megabytes / 1024)}${NBSP}GB`;
}

/** At most one digit behind the point, none from ten on. */
function short(value: number): string {
  return value < 9.95 ? String(Math.round(value * 10) / 10) : String(Math.round(value));
}
