//! What the handle asks for, and who carries it out.

use super::{Actor, Reply, Sent};
use crate::message::Wanted;
use crate::subscribe::wishes::Change;
use confab_media::process::Processing;
use confab_media::{CameraSource, Device, MicrophoneSource, SpeakerSink};
use confab_protocol::{
    Fault, HostAction, OneTimeTicket, OtherRoom, Participant, RawEnterParams, Role, Statistics, UserSigText,
};
use std::time::Instant;

/// What the handle asks for.
#[derive(Debug)]
pub(crate) enum Command {
    Enter(Box<RawEnterParams>, Reply<Result<(), Fault>>),
    Exit(Reply<()>),
    StartVideo(CameraSource, Reply<Result<(), Fault>>),
    StopVideo(Reply<()>),
    MuteVideo(bool, Reply<()>),
    StartAudio(MicrophoneSource, Reply<Result<(), Fault>>),
    StopAudio(Reply<()>),
    MuteAudio(bool, Reply<Result<(), Fault>>),
    SetProcessing(Processing, Reply<()>),
    SetSpeaker(SpeakerSink, Reply<Result<(), Fault>>),
    SwitchRole(Role, Option<UserSigText>, Reply<Result<(), Fault>>),
    SwitchRoom(OtherRoom, Reply<Result<(), Fault>>),
    CancelSwitch(Reply<()>),
    InviteTicket(Reply<Result<OneTimeTicket, Fault>>),
    Act(HostAction, Reply<Result<(), Fault>>),
    Devices(Vec<Device>, Reply<()>),
    Wish(Change, Reply<()>),
    SendMessage(Wanted, Reply<Result<Sent, Fault>>),
    Participants(Reply<Vec<Participant>>),
    Statistics(Reply<Statistics>),
    Close(Reply<()>),
}

impl Actor {
    pub(super) async fn command(&mut self, command: Command) {
        // Whoever asked may have gone; the work is done all the same.
        match command {
            Command::Enter(params, reply) => {
                let entered = self.room.enter(params.check(), Instant::now());
                match entered {
                    Ok(effects) => {
                        let _ = reply.send(Ok(()));
                        self.carry_out(effects).await;
                    }
                    Err(fault) => {
                        let _ = reply.send(Err(fault));
                    }
                }
            }
            Command::Exit(reply) => {
                let _ = reply.send(());
                let effects = self.room.exit();
                self.carry_out(effects).await;
            }
            Command::StartVideo(source, reply) => {
                let _ = reply.send(self.start_video(source).await);
            }
            Command::StopVideo(reply) => {
                self.stop_video().await;
                let _ = reply.send(());
            }
            Command::MuteVideo(muted, reply) => {
                self.mute_video(muted);
                let _ = reply.send(());
            }
            Command::StartAudio(source, reply) => {
                let _ = reply.send(self.start_audio(source).await);
            }
            Command::StopAudio(reply) => {
                self.stop_audio().await;
                let _ = reply.send(());
            }
            Command::MuteAudio(muted, reply) => {
                let _ = reply.send(self.mute_audio(muted));
            }
            Command::SetProcessing(processing, reply) => {
                self.local.set_processing(processing);
                let _ = reply.send(());
            }
            Command::SetSpeaker(sink, reply) => {
                let _ = reply.send(self.set_speaker(sink).await);
            }
            Command::SwitchRole(role, permission, reply) => self.switch_role(role, permission, reply),
            Command::SwitchRoom(to, reply) => self.switch_room(to, reply),
            Command::CancelSwitch(reply) => {
                self.cancel_switch();
                let _ = reply.send(());
            }
            Command::InviteTicket(reply) => self.invite_ticket(reply),
            Command::Act(action, reply) => self.act(action, reply),
            Command::Devices(devices, reply) => {
                self.devices_seen(devices).await;
                let _ = reply.send(());
            }
            Command::Wish(change, reply) => {
                self.want(change);
                let _ = reply.send(());
            }
            Command::SendMessage(wanted, reply) => {
                let _ = reply.send(self.send_message(wanted));
            }
            Command::Participants(reply) => {
                let _ = reply.send(self.participants());
            }
            Command::Statistics(reply) => {
                let _ = reply.send(self.statistics().await);
            }
            Command::Close(reply) => {
                self.closing.push(reply);
                self.closed = true;
            }
        }
    }
}
