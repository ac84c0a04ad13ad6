//! What is received of the others, and messages of the app's own.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use confab_protocol::{Code, Fault};
use confab_session::Receive;

use super::actor::{Actor, Reply};
use super::jobs;
use crate::Host;

impl<H: Host> Actor<H> {
    /// Chooses what comes without being asked for, from the next entry on. Where the pictures that the
    /// page shows are received and no others, that is what comes by itself.
    pub(super) async fn set_receive_mode(&mut self, audio: bool, video: bool, reply: Reply) {
        let on_demand = self.receive_at_first == Receive::OnDemand;
        self.receive_next = match video {
            true => self.receive_at_first,
            false => Receive::None,
        };
        let session = self.session.clone();
        let job = async move { session.set_default_stream_recv_mode(audio, video && !on_demand).await };
        self.start(jobs::plain(reply, job)).await;
    }

    /// An entry begins: what was chosen for it holds from now on.
    pub(super) async fn begin_to_receive(&mut self) {
        self.receive = self.receive_next;
        if self.receive != Receive::OnDemand {
            for user in std::mem::take(&mut self.shown) {
                if !self.asked.contains(&user) {
                    self.view(user, false).await;
                }
            }
        }
    }

    /// Sends `data`, which is base64, to everybody in the room.
    pub(super) async fn send_message(
        &mut self,
        cmd_id: i64,
        data: &str,
        [reliable, ordered]: [bool; 2],
        reply: Reply,
    ) {
        let Ok(data) = STANDARD.decode(data) else {
            let fault = Fault::new(Code::INVALID_PARAMETER)
                .with_message("The data of a message is given in base64; this is not.");
            return Self::answer(reply, Err(fault));
        };
        let session = self.session.clone();
        let job = async move { session.send_custom_cmd_msg(cmd_id, data, reliable, ordered).await };
        self.start(jobs::plain(reply, job)).await;
    }
}
