import type { Quality } from "../types/Quality";
import type { Statistics } from "../types/Statistics";
import type { UserQuality } from "../types/UserQuality";
import { perCent } from "./figures";

/** What is known of the connections in a room. */
export type Network = {
  own: Quality;
  /** By user ID. */
  others: Readonly<Record<string, Quality>>;
  /** The latest figures; null before the first, and while there is no connection. */
  statistics: Statistics | null;
};

export const UNMEASURED: Network = { own: 0, others: {}, statistics: null };

/** One connection as a person reads it. */
export type Standing = {
  quality: Quality;
  words: string;
  /** What is wrong, where that is known. */
  reason: string | null;
};

/** From here on a meeting suffers, and it is said without being asked. */
export const POOR = 3;
/** No connection. */
export const DOWN = 6;

/** Less than this, per cent and milliseconds, is no reason to complain. */
const LOSS = 5;
const ROUND_TRIP = 200;

const WORDS: Record<Quality, string> = {
  0: "Connection not known yet",
  1: "Excellent connection",
  2: "Good connection",
  3: "Poor connection",
  4: "Bad connection",
  5: "Very bad connection",
  6: "No connection",
};

export function withQualities(
  network: Network,
  { local, remote }: { local: UserQuality; remote: readonly UserQuality[] },
): Network {
  const others = Object.fromEntries(remote.map(({ userId, quality }) => [userId, quality]));
  return { ...network, own: local.quality, others };
}

/** What is known while the connection is looked for: that there is none. */
export function withoutConnection(network: Network): Network {
  return { own: DOWN, others: unknown(network.others), statistics: null };
}

function unknown(others: Network["others"]): Network["others"] {
  return Object.fromEntries(Object.keys(others).map((userId) => [userId, 0 as const]));
}

export function ownStanding({ own, statistics }: Network): Standing {
  const reason = own < POOR ? null : own === DOWN ? "the server is not reached" : why(statistics);
  return { quality: own, words: WORDS[own], reason };
}

export function standingOf({ others, statistics }: Network, userId: string): Standing {
  const quality = others[userId] ?? 0;
  return {
    quality,
    words: WORDS[quality],
    reason: quality < POOR ? null : whyOther(quality, statistics, userId),
  };
}

/** The whole sentence, without its end: “Poor connection: 12 % of what you send is lost”. */
export function inFull({ words, reason }: Standing): string {
  return reason === null ? words : `${words}: ${reason}`;
}

function why(statistics: Statistics | null): string | null {
  if (statistics === null) return null;
  const { upLoss, downLoss, rtt } = statistics;
  if (Math.max(upLoss, downLoss) > LOSS) {
    return upLoss >= downLoss
      ? `${perCent(upLoss)} of what you send is lost`
      : `${perCent(downLoss)} of what you receive is lost`;
  }
  return rtt > ROUND_TRIP ? `an answer of the server takes ${rtt}\u00a0ms` : null;
}

function whyOther(quality: Quality, statistics: Statistics | null, userId: string): string | null {
  if (quality === DOWN) return "nothing comes through";
  const theirs = statistics?.remoteStatisticsArray.filter((one) => one.userId === userId) ?? [];
  const lost = Math.max(
    0,
    ...theirs.flatMap(({ audioPacketLoss, videoPacketLoss }) => [audioPacketLoss, videoPacketLoss]),
  );
  return lost > LOSS ? `${perCent(lost)} of the packets are lost` : null;
}
