//! Routers that speak PCP (RFC 6887) or NAT-PMP (RFC 6886), which it has followed. `crab_nat` speaks both;
//! here are who is asked, in which order, and what a refusal means.

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use crab_nat::natpmp::{self, Failure as NatPmpFailure};
use crab_nat::pcp::{self, BaseMapRequest, Failure as PcpFailure};
use crab_nat::{InternetProtocol, PortMapping, PortMappingOptions, PortMappingType, TimeoutConfig};
use tokio::task::JoinSet;
use tracing::{debug, error};

use super::obstacle::{Obstacle, Refusal};
use super::router::{By, Mapping, Wanted};
use super::rule::LEASE;

/// How long each question waits for its answer before it is asked again: NAT-PMP's times (RFC 6886, 3.1),
/// which double, for both, because PCP's first 3 s are made for servers that are not next door. Past the
/// third question it is the pauses between two tries that go on doubling.
pub(super) const WAITS: TimeoutConfig = TimeoutConfig {
    initial_timeout: Duration::from_millis(natpmp::FIRST_TIMEOUT_MILLIS),
    max_retries: 2,
    max_retry_timeout: None,
};
/// How often a question is asked of who answers it with something else; that may come from somebody else
/// (RFC 6887, 8.3), and the library takes the first answer.
const TRIES: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Pcp,
    NatPmp,
}

/// A router that speaks one of them, and this computer's address in its network.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gateway {
    pub(super) protocol: Protocol,
    address: Ipv4Addr,
    local: Ipv4Addr,
    waits: TimeoutConfig,
}

impl Gateway {
    /// The first among those addresses that opens the port; all are asked at once.
    pub(super) async fn among(
        addresses: &[Ipv4Addr],
        local: Ipv4Addr,
        waits: TimeoutConfig,
        wanted: Wanted,
    ) -> Result<(Gateway, Mapping), Obstacle> {
        let mut asked = JoinSet::new();
        for address in addresses {
            asked.spawn(Gateway::at(*address, local, waits, wanted));
        }
        let mut why = Obstacle::NoRouter;
        while let Some(answer) = asked.join_next().await {
            match answer {
                Ok(Ok(opened)) => return Ok(opened),
                Ok(Err(obstacle)) => why = why.or(obstacle),
                Err(error) => error!(%error, "asking a router has ended early"),
            }
        }
        Err(why)
    }

    /// Asks that address for the port by PCP, and by NAT-PMP where that fails: who knows only the older one
    /// says so, or does not hear the newer.
    pub(super) async fn at(
        address: Ipv4Addr,
        local: Ipv4Addr,
        waits: TimeoutConfig,
        wanted: Wanted,
    ) -> Result<(Gateway, Mapping), Obstacle> {
        let mut why = Obstacle::NoRouter;
        for protocol in [Protocol::Pcp, Protocol::NatPmp] {
            let gateway = Gateway { protocol, address, local, waits };
            match gateway.open(wanted, None).await {
                Ok(mapping) => return Ok((gateway, mapping)),
                Err(obstacle) => why = why.or(obstacle),
            }
        }
        Err(why)
    }

    /// Opens a port, or keeps open what is held. A router that has started anew and forgotten it (its epoch
    /// then begins again) opens it by the same question.
    pub(super) async fn open(&self, wanted: Wanted, held: Option<&PortMapping>) -> Result<Mapping, Obstacle> {
        for _ in 0..TRIES {
            let answer = match self.protocol {
                Protocol::Pcp => self.by_pcp(wanted, held).await,
                Protocol::NatPmp => self.by_nat_pmp(wanted).await,
            };
            if !matches!(answer, Err(Obstacle::Unclear)) {
                return answer;
            }
        }
        Err(Obstacle::Unclear)
    }

    async fn by_pcp(&self, wanted: Wanted, held: Option<&PortMapping>) -> Result<Mapping, Obstacle> {
        // The number by which the router knows who has opened it.
        let (nonce, before) = match held.map(PortMapping::mapping_type) {
            Some(PortMappingType::Pcp { nonce, external_ip, .. }) => (Some(nonce), Some(external_ip)),
            Some(PortMappingType::NatPmp) | None => (None, None),
        };
        let (gateway, client) = (self.address.into(), self.local.into());
        let port = BaseMapRequest::new(gateway, client, protocol(wanted), wanted.internal);
        let mapping =
            pcp::port_mapping(port, nonce, before, self.options(wanted)).await.map_err(|why| of_pcp(&why))?;
        if let PortMappingType::Pcp { external_ip: IpAddr::V4(address), .. } = mapping.mapping_type() {
            return Ok(granted(mapping, address));
        }
        close(mapping).await;
        Err(Obstacle::NoAddress)
    }

    async fn by_nat_pmp(&self, wanted: Wanted) -> Result<Mapping, Obstacle> {
        let asked = async {
            let address = natpmp::external_address(self.address.into(), Some(self.waits)).await?;
            let options = self.options(wanted);
            let gateway = self.address.into();
            let mapping = natpmp::port_mapping(gateway, protocol(wanted), wanted.internal, options).await?;
            Ok::<_, NatPmpFailure>(granted(mapping, address))
        };
        asked.await.map_err(|why| of_nat_pmp(&why))
    }

    fn options(&self, wanted: Wanted) -> PortMappingOptions {
        PortMappingOptions {
            external_port: Some(wanted.external),
            lifetime_seconds: Some(u32::try_from(LEASE.as_secs()).unwrap_or(u32::MAX)),
            timeout_config: Some(self.waits),
        }
    }
}

fn protocol(wanted: Wanted) -> InternetProtocol {
    if wanted.tcp { InternetProtocol::Tcp } else { InternetProtocol::Udp }
}

fn granted(mapping: PortMapping, address: Ipv4Addr) -> Mapping {
    Mapping {
        external: SocketAddrV4::new(address, mapping.external_port().get()),
        lease: Some(Duration::from_secs(mapping.lifetime().into())),
        by: By::Pcp(mapping),
    }
}

/// Closes a port again, or leaves that to the end of its lease where the router is silent.
pub(super) async fn close(mut mapping: PortMapping) {
    mapping.timeout_config.max_retries = 1;
    if let Err((error, mapping)) = mapping.try_drop().await {
        debug!(%error, external = mapping.external_port(), "a port was not given back");
    }
}

fn of_pcp(failure: &PcpFailure) -> Obstacle {
    debug!(%failure, "no port by PCP");
    match failure {
        PcpFailure::Socket(_) | PcpFailure::Timeout | PcpFailure::UnsupportedVersion(_) => Obstacle::NoRouter,
        PcpFailure::Nonce | PcpFailure::InvalidResponse(_) => Obstacle::Unclear,
        PcpFailure::NotAuthorized(_) => Refusal::Forbidden.into(),
        PcpFailure::NetworkFailure(_) => Refusal::Offline.into(),
        PcpFailure::NoResources(_) => Refusal::Full.into(),
        PcpFailure::UserExceededQuota(_) => Refusal::Quota.into(),
        PcpFailure::CannotProvideExternal(_) => Refusal::Taken.into(),
        PcpFailure::AddressMismatch => Refusal::Between.into(),
        PcpFailure::MalformedRequest
        | PcpFailure::UnsupportedOpcode
        | PcpFailure::UnsupportedOption
        | PcpFailure::MalformedOption
        | PcpFailure::UnsupportedProtocol
        | PcpFailure::ExcessiveRemotePeers => Refusal::Unable.into(),
    }
}

fn of_nat_pmp(failure: &NatPmpFailure) -> Obstacle {
    debug!(%failure, "no port by NAT-PMP");
    match failure {
        NatPmpFailure::Socket(_) | NatPmpFailure::Timeout | NatPmpFailure::UnsupportedVersion(_) => {
            Obstacle::NoRouter
        }
        NatPmpFailure::InvalidResponse(_) => Obstacle::Unclear,
        NatPmpFailure::NotAuthorized => Refusal::Forbidden.into(),
        NatPmpFailure::NetworkFailure => Refusal::Offline.into(),
        NatPmpFailure::OutOfResources => Refusal::Full.into(),
        NatPmpFailure::UnsupportedOpcode => Refusal::Unable.into(),
    }
}
