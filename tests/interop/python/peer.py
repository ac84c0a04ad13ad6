#!/usr/bin/env python3
"""Somebody else's client in our room: joins with the `livekit` package, sends a picture that can be
told apart frame by frame and a tone, and says on standard output, one JSON object a line, what
it sees, hears and is told. A line `say TOPIC TEXT` on standard input sends a data packet, any other
line ends it.

    peer.py URL TOKEN FOLDER

FOLDER takes the pictures: `base.i420` is what it sends without the parts that move, `NNN.i420` are
frames it received, named in the `picture` lines.
"""

import asyncio
import json
import math
import os
import pathlib
import sys
import time

import numpy
from livekit import rtc

WIDTH, HEIGHT, FPS = 640, 360, 30
TONE_HZ, TONE_LEVEL = 1000.0, 0.25
RATE, BLOCK = 48000, 480

# Of the frames received, one in so many is kept, up to so many.
KEEP_ONE_IN, KEEP_AT_MOST = 15, 8
# Length of the sound that one `sound` line tells about, samples.
LISTEN = RATE // 2


def say(**fact):
    print(json.dumps(fact), flush=True)


def base_picture():
    """Smooth slopes of brightness and colour: what a codec must keep, and nothing it may smear."""
    x, y = numpy.meshgrid(numpy.arange(WIDTH), numpy.arange(HEIGHT))
    half_x, half_y = x[::2, ::2], y[::2, ::2]
    luma = 40 + 150 * x / WIDTH + 30 * y / HEIGHT
    blue = 90 + 80 * half_x / WIDTH
    red = 170 - 80 * half_y / HEIGHT
    return [plane.round().astype(numpy.uint8) for plane in (luma, blue, red)]


def draw(base, counter):
    """The counter as sixteen blocks of 40 pixels in the top row, lowest bit left, bright for 1; below
    them a square that moves four pixels a frame. Counters begin with 1: the library sends black until
    it is given a picture, and black reads as 0."""
    luma, blue, red = (plane.copy() for plane in base)
    for bit in range(16):
        luma[0:40, bit * 40 : bit * 40 + 40] = 220 if counter >> bit & 1 else 30
    left = counter * 4 % 600
    luma[200:240, left : left + 40] = 200
    return b"".join(plane.tobytes() for plane in (luma, blue, red))


async def send_pictures(source, base):
    started = time.monotonic()
    for counter in range(1, 1 << 16):
        data = draw(base, counter)
        source.capture_frame(rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.I420, data))
        await asyncio.sleep(max(0.0, started + counter / FPS - time.monotonic()))


async def send_tone(source):
    turn = 2 * math.pi * TONE_HZ / RATE
    for block in range(1 << 24):
        # The source takes the samples at their own pace.
        samples = numpy.sin(turn * numpy.arange(block * BLOCK, (block + 1) * BLOCK)) * TONE_LEVEL
        frame = rtc.AudioFrame.create(RATE, 1, BLOCK)
        frame.data[:] = (samples * 32767).astype(numpy.int16)
        await source.capture_frame(frame)


async def look(track, user, folder):
    seen = kept = 0
    async for event in rtc.VideoStream(track, format=rtc.VideoBufferType.I420):
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        seen += 1
        if seen == 1:
            say(event="first_picture", user=user, width=event.frame.width, height=event.frame.height)
        if seen % KEEP_ONE_IN == 0 and kept < KEEP_AT_MOST:
            kept += 1
            file = folder / f"{kept:03}.i420"
            file.write_bytes(bytes(event.frame.data))
            frame = event.frame
            say(event="picture", user=user, width=frame.width, height=frame.height, file=str(file), at_us=now, seen=seen)


async def listen(track, user):
    heard = numpy.zeros(0)
    async for event in rtc.AudioStream(track, sample_rate=RATE, num_channels=1):
        samples = numpy.frombuffer(event.frame.data, dtype=numpy.int16) / 32768
        heard = numpy.concatenate([heard, samples])
        if len(heard) >= LISTEN:
            window = heard[:LISTEN]
            heard = heard[LISTEN:]
            spectrum = numpy.abs(numpy.fft.rfft(window * numpy.hanning(LISTEN)))
            level = 20 * math.log10(max(1e-6, float(numpy.sqrt(numpy.mean(window**2)))))
            say(event="sound", user=user, hz=float(numpy.argmax(spectrum) * RATE / LISTEN), dbfs=level)


def told_to_say():
    words = sys.stdin.readline().rstrip("\n").split(" ", 2)
    return words[1:] if words[0] == "say" else None


async def publish(room, base):
    camera = rtc.VideoSource(WIDTH, HEIGHT)
    picture = rtc.LocalVideoTrack.create_video_track("camera", camera)
    options = rtc.TrackPublishOptions(
        source=rtc.TrackSource.SOURCE_CAMERA,
        video_codec=rtc.VideoCodec.H264,
        simulcast=False,
        video_encoding=rtc.VideoEncoding(max_bitrate=1_500_000, max_framerate=FPS),
        degradation_preference=rtc.DegradationPreference.MAINTAIN_FRAMERATE_AND_RESOLUTION,
    )
    await room.local_participant.publish_track(picture, options)
    microphone = rtc.AudioSource(RATE, 1)
    sound = rtc.LocalAudioTrack.create_audio_track("microphone", microphone)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    await room.local_participant.publish_track(sound, options)
    return [asyncio.create_task(send_pictures(camera, base)), asyncio.create_task(send_tone(microphone))]


def report(room, folder, tasks):
    """Turns what the room tells into lines."""

    @room.on("participant_connected")
    def _(participant):
        say(event="entered", user=participant.identity, name=participant.name)

    @room.on("participant_disconnected")
    def _(participant):
        say(event="left", user=participant.identity)

    @room.on("track_muted")
    def _(participant, publication):
        say(event="muted", user=participant.identity, kind=rtc.TrackKind.Name(publication.kind))

    @room.on("track_unmuted")
    def _(participant, publication):
        say(event="unmuted", user=participant.identity, kind=rtc.TrackKind.Name(publication.kind))

    @room.on("connection_quality_changed")
    def _(participant, quality):
        say(event="quality", user=participant.identity, quality=quality.name)

    @room.on("data_received")
    def _(packet):
        user = packet.participant.identity if packet.participant else ""
        say(event="data", user=user, topic=packet.topic, text=packet.data.decode(errors="replace"), hex=packet.data.hex())

    @room.on("disconnected")
    def _(reason):
        say(event="disconnected", reason=rtc.DisconnectReason.Name(reason))

    @room.on("track_subscribed")
    def _(track, publication, participant):
        say(event="subscribed", user=participant.identity, kind=rtc.TrackKind.Name(track.kind), codec=publication.mime_type)
        if track.kind == rtc.TrackKind.KIND_VIDEO:
            tasks.append(asyncio.create_task(look(track, participant.identity, folder)))
        else:
            tasks.append(asyncio.create_task(listen(track, participant.identity)))


async def main(url, token, folder):
    room, tasks, base = rtc.Room(), [], base_picture()
    (folder / "base.i420").write_bytes(b"".join(plane.tobytes() for plane in base))
    report(room, folder, tasks)
    try:
        await room.connect(url, token)
    except rtc.ConnectError as error:
        return say(event="refused", message=error.message)
    present = [{"user": p.identity, "name": p.name} for p in room.remote_participants.values()]
    say(event="connected", room=room.name, user=room.local_participant.identity, present=present)
    tasks += await publish(room, base)
    say(event="published")
    while words := await asyncio.get_running_loop().run_in_executor(None, told_to_say):
        topic, text = words
        await room.local_participant.publish_data(text, reliable=True, topic=topic)
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            say(event="error", message=repr(outcome))
    await room.disconnect()
    say(event="done")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])))
    # Threads of the library still call into the interpreter, and abort when it tidies up.
    os._exit(0)
