import type { LocalStatistics } from "../types/LocalStatistics";
import type { RemoteStatistics } from "../types/RemoteStatistics";
import type { Statistics } from "../types/Statistics";

/** Figures of a fine connection, for tests and for the simulated meeting. */
export function statistics(change: Partial<Statistics>): Statistics {
  return {
    appCpu: 14,
    systemCpu: 41,
    upLoss: 0,
    downLoss: 0,
    rtt: 23,
    gatewayRtt: 0,
    sentBytes: 1_340_000,
    receivedBytes: 9_870_000,
    systemMemoryInMB: 16_384,
    systemMemoryUsageInMB: 6_300,
    appMemoryUsageInMB: 310,
    localStatisticsArray: [],
    remoteStatisticsArray: [],
    ...change,
  };
}

export function localFigures(change: Partial<LocalStatistics>): LocalStatistics {
  return {
    width: 1280,
    height: 720,
    frameRate: 30,
    videoBitrate: 1240,
    audioSampleRate: 48_000,
    audioBitrate: 32,
    streamType: 0,
    ...change,
  };
}

export function remoteFigures(change: Partial<RemoteStatistics>): RemoteStatistics {
  return {
    userId: "bo",
    streamType: 0,
    width: 640,
    height: 360,
    frameRate: 15,
    videoBitrate: 480,
    audioSampleRate: 48_000,
    audioBitrate: 32,
    audioPacketLoss: 0,
    videoPacketLoss: 0,
    jitterBufferDelay: 60,
    point2PointDelay: 0,
    audioTotalBlockTime: 0,
    videoTotalBlockTime: 0,
    audioBlockRate: 0,
    videoBlockRate: 0,
    remoteNetworkUplinkLoss: 0,
    remoteNetworkRTT: 0,
    ...change,
  };
}
