//! Looks at attempts before and after they are checked, where requests come in.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::PoisonError;
use std::time::Instant;

use axum::http::Extensions;
use confab_protocol::{Code, Fault, RawEnterParams};

use super::Shared;
use super::v1::Refusal;
use crate::attempts::{Attempts, Name, TooOften};
use crate::control::NoEntrance;
use crate::proxy::Caller;

/// The faults of an entry that somebody brings about who tries signatures and permissions.
const WRONG: [Code; 3] =
    [Code::USER_SIG_CHECK_FAILED, Code::INVALID_PRIVATE_MAP_KEY, Code::NO_PRIVILEGE_ENTER_ROOM];

/// One request that has to show something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guard<'a> {
    shared: &'a Shared,
    from: IpAddr,
    /// What it is counted under.
    request: &'static str,
}

impl<'a> Guard<'a> {
    /// For a request with these extensions.
    pub(crate) fn new(shared: &'a Shared, extensions: &Extensions, request: &'static str) -> Guard<'a> {
        Guard::from(shared, extensions.get::<Caller>().map(|caller| caller.address), request)
    }

    /// For a request from that address.
    pub(crate) fn from(shared: &'a Shared, from: Option<IpAddr>, request: &'static str) -> Guard<'a> {
        Guard { shared, from: from.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), request }
    }

    /// Counts a signature, token or ticket that was wrong; the error is what to answer instead of the reason.
    pub(crate) fn wrong(&self, name: Option<Name>) -> Result<(), TooOften> {
        self.shared.metrics.failed_attempt(self.request);
        self.ask(|attempts, now| attempts.wrong(self.from, name, now))
    }

    /// What somebody is answered whose entry was refused, counted where they showed something wrong.
    pub(crate) fn refused(&self, name: Option<Name>, fault: Fault) -> Refusal {
        if WRONG.iter().any(|code| code.0 == fault.code)
            && let Err(often) = self.wrong(name)
        {
            return Refusal::TooOften(often);
        }
        Refusal::Fault(fault)
    }

    /// What somebody is answered whose one-time ticket does not let them in; it counts.
    pub(crate) fn no_entrance(&self, name: Option<Name>, why: NoEntrance) -> Refusal {
        self.wrong(name).map_or_else(Refusal::TooOften, |()| Refusal::NoEntrance(why))
    }

    /// Whether the passcode that a guest says is the one that is wanted; counts one that is not. The error is
    /// that it is not looked at.
    pub(crate) fn passcode(&self, guest: Option<Name>, said: &str, wanted: &str) -> Result<bool, TooOften> {
        let right = self.ask(|attempts, now| attempts.passcode(self.from, guest, said, wanted, now))?;
        if !right {
            self.shared.metrics.failed_attempt(self.request);
        }
        Ok(right)
    }

    fn ask<T>(
        &self,
        rule: impl FnOnce(&mut Attempts, Instant) -> Result<T, TooOften>,
    ) -> Result<T, TooOften> {
        let mut attempts = self.shared.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        rule(&mut attempts, Instant::now()).inspect_err(|often| {
            self.shared.metrics.refused_attempt(self.request, often.limited.name());
        })
    }
}

/// In whose name an entry is asked for, as far as it says.
pub(super) fn name_of(raw: &RawEnterParams) -> Option<Name> {
    Some(Name::person(raw.sdk_app_id?, raw.user_id.as_deref()?))
}
