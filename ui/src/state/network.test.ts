import { describe, expect, it } from "vitest";
import type { Quality } from "../types/Quality";
import { remoteFigures, statistics } from "./figures.samples";
import {
  inFull,
  ownStanding,
  standingOf,
  UNMEASURED,
  withoutConnection,
  withQualities,
  type Network,
} from "./network";

const own = (quality: Quality, figures: Parameters<typeof statistics>[0] = {}): string =>
  inFull(ownStanding({ ...UNMEASURED, own: quality, statistics: statistics(figures) }));

const other = (quality: Quality, lost = 0): string => {
  const remote = remoteFigures({ userId: "bo", videoPacketLoss: lost });
  const network: Network = {
    own: 1,
    others: { bo: quality },
    statistics: statistics({ remoteStatisticsArray: [remoteFigures({ userId: "eve" }), remote] }),
  };
  return inFull(standingOf(network, "bo"));
};

describe("one's own connection", () => {
  it("has words for every quality", () => {
    const qualities: readonly Quality[] = [0, 1, 2, 3, 4, 5, 6];
    expect(qualities.map((quality) => own(quality))).toEqual([
      "Connection not known yet",
      "Excellent connection",
      "Good connection",
      "Poor connection",
      "Bad connection",
      "Very bad connection",
      "No connection: the server is not reached",
    ]);
  });

  it("says what is wrong once something is", () => {
    expect(own(3, { upLoss: 12 })).toBe("Poor connection: 12\u00a0% of what you send is lost");
    expect(own(3, { upLoss: 2, downLoss: 12 })).toBe(
      "Poor connection: 12\u00a0% of what you receive is lost",
    );
    expect(own(4, { rtt: 640 })).toBe("Bad connection: an answer of the server takes 640\u00a0ms");
    expect(own(2, { upLoss: 12 })).toBe("Good connection");
  });
});

describe("somebody else's connection", () => {
  it("is unknown until something was told of them", () => {
    expect(inFull(standingOf(UNMEASURED, "bo"))).toBe("Connection not known yet");
  });

  it("says what is missing of theirs", () => {
    expect(other(1)).toBe("Excellent connection");
    expect(other(3, 12)).toBe("Poor connection: 12\u00a0% of the packets are lost");
    expect(other(3)).toBe("Poor connection");
    expect(other(6)).toBe("No connection: nothing comes through");
  });
});

describe("what the backend tells", () => {
  it("replaces what was told before, people who are gone too", () => {
    const before = { ...UNMEASURED, others: { eve: 2 } as const };
    const now = withQualities(before, {
      local: { userId: "", quality: 2 },
      remote: [{ userId: "bo", quality: 4 }],
    });
    expect([now.own, now.others]).toEqual([2, { bo: 4 }]);
  });

  it("counts for nothing without a connection", () => {
    const lost = withoutConnection({ own: 1, others: { bo: 1 }, statistics: statistics({}) });
    expect(lost).toEqual({ own: 6, others: { bo: 0 }, statistics: null });
  });
});
