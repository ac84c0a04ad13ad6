//! Routers that speak UPnP. `igd-next` finds them and asks; it speaks with a router at the address that it
//! answered from only, and bounds what it reads. Here are how long that may take and what a refusal means.

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use igd_next::aio::tokio::{Tokio, search_gateway};
use igd_next::{
    AddPortError, GatewayIpVersion, GetExternalIpError, PortMappingProtocol, RequestError, SearchOptions,
};
use tracing::debug;

use super::obstacle::{Obstacle, Refusal};
use super::router::{By, Mapping, Routers, Wanted};
use super::rule::LEASE;

/// Where routers listen for who searches them.
pub(super) const SEARCH: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(239, 255, 255, 250), 1900);
/// How long routers are searched: they are asked to answer within 3 s, and then for their description.
pub(super) const SEARCHED: Duration = Duration::from_secs(4);
/// How long a router may take for one answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Ports tried where another computer has the one that is best, and where a lease is not to end.
const PORTS: usize = 5;
/// What routers with more than one list of ports call the port that this computer has asked for.
const NAME: &str = "Confab";
/// What a router says that has no such action.
const NO_ACTION: u16 = 401;
/// What a router says that has no more ports.
const NO_PORTS: u16 = 728;

/// A router that speaks UPnP, and this computer's address in its network.
#[derive(Debug, Clone)]
pub(super) struct Gateway {
    service: Arc<igd_next::aio::Gateway<Tokio>>,
    local: Ipv4Addr,
}

impl Gateway {
    /// Looks for one in the network in which this computer has that address. May be dropped at any time.
    pub(super) async fn search(routers: &Routers, local: Ipv4Addr) -> Result<Gateway, Obstacle> {
        let mut options = SearchOptions::default();
        options.bind_addr = SocketAddrV4::new(local, 0).into();
        options.broadcast_address = routers.search.into();
        options.timeout = Some(routers.searched);
        options.gateway_ip_version = GatewayIpVersion::V4;
        options.allowed_gateway_ips.clone_from(&routers.trusted);
        match search_gateway(options).await {
            Ok(service) => Ok(Gateway { service: Arc::new(service), local }),
            Err(error) => {
                debug!(%error, "no router found by UPnP");
                Err(Obstacle::NoRouter)
            }
        }
    }

    /// Opens a port, or keeps it open.
    pub(super) async fn open(&self, wanted: Wanted) -> Result<Mapping, Obstacle> {
        let address = match within(self.service.get_external_ip()).await? {
            Ok(IpAddr::V4(address)) => address,
            Ok(IpAddr::V6(_)) => return Err(Obstacle::NoAddress),
            Err(error) => return Err(of_address(&error)),
        };
        let local = SocketAddrV4::new(self.local, wanted.internal.get()).into();
        let (mut external, mut lease) = (wanted.external.get(), Some(LEASE));
        for _ in 0..PORTS {
            // None is for ever.
            let seconds = lease.and_then(|lease| u32::try_from(lease.as_secs()).ok()).unwrap_or_default();
            match within(self.service.add_port(protocol(wanted.tcp), external, local, seconds, NAME)).await? {
                Ok(()) => {
                    let by = By::Upnp { gateway: self.clone(), tcp: wanted.tcp };
                    return Ok(Mapping { external: SocketAddrV4::new(address, external), lease, by });
                }
                Err(AddPortError::OnlyPermanentLeasesSupported) if lease.is_some() => lease = None,
                Err(AddPortError::PortInUse) => external = rand::random_range(20_000..60_000),
                Err(error) => return Err(of_port(&error)),
            }
        }
        Err(Refusal::Taken.into())
    }

    /// Closes a port again. Who does not answer forgets it with its lease, where it has one.
    pub(super) async fn close(&self, tcp: bool, external: u16) {
        if !matches!(within(self.service.remove_port(protocol(tcp), external)).await, Ok(Ok(()))) {
            debug!(external, "a port was not given back");
        }
    }
}

fn protocol(tcp: bool) -> PortMappingProtocol {
    if tcp { PortMappingProtocol::TCP } else { PortMappingProtocol::UDP }
}

async fn within<T>(answer: impl Future<Output = T>) -> Result<T, Obstacle> {
    tokio::time::timeout(PATIENCE, answer).await.map_err(|_| Obstacle::NoRouter)
}

fn of_address(error: &GetExternalIpError) -> Obstacle {
    match error {
        GetExternalIpError::ActionNotAuthorized => Refusal::Forbidden.into(),
        GetExternalIpError::RequestError(error) if of_request(error) == Obstacle::NoRouter => {
            Obstacle::NoRouter
        }
        GetExternalIpError::RequestError(_) => Obstacle::NoAddress,
    }
}

fn of_port(error: &AddPortError) -> Obstacle {
    match error {
        AddPortError::ActionNotAuthorized => Refusal::Forbidden.into(),
        AddPortError::PortInUse | AddPortError::SamePortValuesRequired => Refusal::Taken.into(),
        AddPortError::InternalPortZeroInvalid
        | AddPortError::ExternalPortZeroInvalid
        | AddPortError::OnlyPermanentLeasesSupported
        | AddPortError::DescriptionTooLong => Refusal::Unable.into(),
        AddPortError::RequestError(error) => of_request(error),
    }
}

/// What it means that an answer is none, or another than those above.
fn of_request(error: &RequestError) -> Obstacle {
    match error {
        RequestError::IoError(_) => Obstacle::NoRouter,
        RequestError::HyperClientError(error) if error.is_connect() => Obstacle::NoRouter,
        // The answer ends early, is too long, or is no XML.
        RequestError::HyperClientError(_)
        | RequestError::HyperError(_)
        | RequestError::HttpError(_)
        | RequestError::InvalidResponse(_)
        | RequestError::Utf8Error(_) => Obstacle::Unclear,
        RequestError::ErrorCode(NO_PORTS, _) => Refusal::Full.into(),
        RequestError::ErrorCode(NO_ACTION, _) | RequestError::UnsupportedAction(_) => Refusal::Unable.into(),
        RequestError::ErrorCode(code, words) => Refusal::said(*code, words).into(),
    }
}
