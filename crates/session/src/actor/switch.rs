//! Going to another room: that one is asked for a seat first, for as long as a host lets us wait, and
//! this one is left only with the seat in hand.

use super::{Actor, Inside, Reply};
use crate::room::{ASK_AGAIN, Failure, REACH};
use crate::signalling::{Admission, Answered, ask};
use confab_protocol::{Code, EnterParams, Event, Fault, OtherRoom, Stay};
use std::time::Instant;
use tokio::task::AbortHandle;

/// The way to another room, while that is asked for a seat.
#[derive(Debug)]
pub(super) struct Crossing {
    stay: Stay,
    asking: AbortHandle,
}

impl super::host::Standing {
    /// Whether we are on the way to the other room with that stay.
    pub(super) fn is_crossing(&self, stay: &Stay) -> bool {
        self.crossing.as_ref().is_some_and(|crossing| crossing.stay == *stay)
    }
}

/// What the other room has answered.
#[derive(Debug)]
pub(crate) struct Asked {
    /// For which stay it was asked.
    pub(super) stay: Stay,
    answer: Answer,
}

#[derive(Debug)]
enum Answer {
    /// A host there has to let us in; it is asked again.
    Waiting,
    /// There is a seat for us.
    Admitted(Box<EnterParams>, Admission),
    Refused(Fault),
}

impl Actor {
    /// The call `switchRoom`; `onSwitchRoom` tells how it went.
    pub(super) fn switch_room(&mut self, to: OtherRoom, reply: Reply<Result<(), Fault>>) {
        let checked = self.present().and_then(|(params, _, route)| {
            if self.standing.crossing.is_some() {
                let why = "You are on the way to another room already. Wait until you are there, or stay.";
                return Err(Fault::new(Code::REFUSED).with_message(why));
            }
            Ok((params.elsewhere(to)?, route))
        });
        let (params, route) = match checked {
            Ok(checked) => checked,
            Err(fault) => return drop(reply.send(Err(fault))),
        };
        let _ = reply.send(Ok(()));
        let (inside, stay) = (self.inside.clone(), self.room.stay_elsewhere());
        let asked = stay.clone();
        let asking = self.asking.spawn(async move {
            let tell = async |answer| {
                let _ = inside.send(Inside::Elsewhere(Asked { stay: stay.clone(), answer })).await;
            };
            let mut waiting = false;
            let answer = loop {
                match ask(&route, &params, stay.clone(), REACH).await {
                    Ok(Answered::Waiting) => {
                        if !std::mem::replace(&mut waiting, true) {
                            tell(Answer::Waiting).await;
                        }
                        tokio::time::sleep(ASK_AGAIN).await;
                    }
                    Ok(Answered::Admitted(admission)) => break Answer::Admitted(Box::new(params), admission),
                    Err(failure) => break Answer::Refused(Failure::fault(failure)),
                }
            };
            tell(answer).await;
        });
        self.standing.crossing = Some(Crossing { stay: asked, asking });
    }

    /// We stay in this room. Nothing happens where we are not on the way to another.
    pub(super) fn cancel_switch(&mut self) {
        if let Some(crossing) = self.standing.crossing.take() {
            crossing.asking.abort();
            let why = "You stay in this room.".to_owned();
            self.emit(Event::OnSwitchRoom { code: Code::REFUSED.0, message: why });
        }
    }

    /// The other room has answered, and we have not thought better of it.
    pub(super) async fn elsewhere_answered(&mut self, Asked { stay, answer }: Asked) {
        match answer {
            Answer::Waiting => self.emit(Event::OnWaiting),
            Answer::Admitted(params, admission) => {
                self.standing.crossing = None;
                match self.room.switch(*params, stay, Instant::now()) {
                    Ok(effects) => {
                        self.admission = Some(admission);
                        self.carry_out(effects).await;
                    }
                    Err(fault) => self.stay_here(fault),
                }
            }
            Answer::Refused(fault) => self.stay_here(fault),
        }
    }

    fn stay_here(&mut self, fault: Fault) {
        self.standing.crossing = None;
        self.complain(&fault);
        self.emit(Event::OnSwitchRoom { code: fault.code, message: fault.message });
    }
}
