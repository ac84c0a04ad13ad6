//! A host that hears what the app tells, and apps and servers to go with it.

use std::time::Duration;

use confab_app::controller::AppKey;
use confab_app::{Controller, Event, Fault, Host, Options, Stage};
use confab_media::{CameraSource, MicrophoneSource, SpeakerSink};
use confab_protocol::SdkAppId;
use confab_server::{AppConfig, Config, Server};
use confab_session::Receive;
use tokio::sync::watch;

/// The application of every room here.
pub(crate) const APP: u32 = 1_400_000_000;
const KEY: &str = "a key for tests";
/// Longest wait for anything: far more than it takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A host that keeps what it hears.
#[derive(Debug)]
pub(crate) struct Ears {
    heard: watch::Sender<Vec<confab_protocol::Event>>,
}

impl Host for Ears {
    fn emit(&self, event: Event) {
        if let Event::Room(event) = event {
            self.heard.send_modify(|heard| heard.push(event));
        }
    }

    fn stage_snapshot(&self, _: &Stage) -> Result<Vec<u8>, Fault> {
        panic!("nobody asks for the stage here")
    }
}

impl Ears {
    /// Waits for the first event, past ones too, of which `pick` makes something.
    pub(crate) async fn until<T>(
        &self,
        what: &str,
        pick: impl Fn(&confab_protocol::Event) -> Option<T>,
    ) -> T {
        let mut heard = self.heard.subscribe();
        let found = heard.wait_for(|events| events.iter().any(|event| pick(event).is_some()));
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(events) => events.unwrap().iter().find_map(pick).unwrap(),
            Err(_) => panic!("waited in vain for {what}; heard {:#?}", *self.heard.borrow()),
        }
    }
}

/// An app with the test picture and the tone, which plays for nobody.
pub(crate) fn app() -> Controller<Ears> {
    app_with(SpeakerSink::Null)
}

/// The same with a speaker.
pub(crate) fn app_with(speaker: SpeakerSink) -> Controller<Ears> {
    start(|options| options.speaker = speaker)
}

/// The same, which receives pictures only where they are asked for.
pub(crate) fn app_on_demand() -> Controller<Ears> {
    start(|options| options.receive = Receive::OnDemand)
}

fn start(change: impl FnOnce(&mut Options)) -> Controller<Ears> {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.keep());
    options.camera = Some(CameraSource::Test);
    options.microphone = Some(MicrophoneSource::Tone);
    options.speaker = SpeakerSink::Null;
    options.keys = vec![AppKey { app: SdkAppId(APP), key: KEY.to_owned() }];
    change(&mut options);
    Controller::start(options, Ears { heard: watch::Sender::default() }).0
}

/// A server on free ports.
pub(crate) async fn server() -> Server {
    let config = Config {
        http: "127.0.0.1:0".parse().unwrap(),
        media: "127.0.0.1:0".parse().unwrap(),
        workers: Some(1),
        app: vec![AppConfig::new(APP, KEY)],
        ..Config::default()
    };
    Server::start(config).await.unwrap()
}
