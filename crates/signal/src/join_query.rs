//! What a client says of itself when it opens signalling.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use livekit_protocol as lk;

use crate::limit;

/// The query of `/rtc` (LiveKit's signalling). Names that we do not know are ignored.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinQuery {
    /// Signalling version of the client.
    pub protocol: u32,
    /// Version of the data on top of it.
    pub client_protocol: u32,
    /// Which client library, lower case.
    pub sdk: String,
    /// Its version.
    pub version: String,
    /// Operating system.
    pub os: String,
    /// Its version.
    pub os_version: String,
    /// Model of the device.
    pub device_model: String,
    /// Browser.
    pub browser: String,
    /// Its version.
    pub browser_version: String,
    /// Kind of network.
    pub network: String,
    /// Subscribe to every track; yes unless refused.
    pub auto_subscribe: bool,
    /// The client says which size of picture it shows.
    pub adaptive_stream: bool,
    /// The client wants full ICE.
    pub disable_ice_lite: bool,
    /// The server may pause video when the network is too slow.
    pub subscriber_allow_pause: Option<bool>,
    /// The application's own pairs.
    pub attributes: BTreeMap<String, String>,
    /// Resume the session `sid`.
    pub reconnect: bool,
    /// Of which participant.
    pub sid: String,
    /// Why, [`lk::ReconnectReason`].
    pub reconnect_reason: i32,
    /// The token, where the client cannot set a header. Never logged.
    pub access_token: String,
    /// Asks for a single peer connection, which this version does not have.
    pub join_request: String,
    /// Publish under another identity.
    pub publish: String,
}

/// Why a query is no join. The client is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// More than [`limit::QUERY`].
    #[error("the query of {length} bytes is too long; {} are allowed", limit::QUERY)]
    TooLong {
        /// How long it is.
        length: usize,
    },
    /// A value is not what its name asks for.
    #[error("the value of {name} cannot be read")]
    Value {
        /// Of which name.
        name: &'static str,
    },
    /// A percent escape is broken or no UTF-8.
    #[error("the query has a broken percent escape")]
    Escape,
}

impl Default for JoinQuery {
    fn default() -> Self {
        Self {
            protocol: 0,
            client_protocol: 0,
            sdk: String::new(),
            version: String::new(),
            os: String::new(),
            os_version: String::new(),
            device_model: String::new(),
            browser: String::new(),
            browser_version: String::new(),
            network: String::new(),
            auto_subscribe: true,
            adaptive_stream: false,
            disable_ice_lite: false,
            subscriber_allow_pause: None,
            attributes: BTreeMap::new(),
            reconnect: false,
            sid: String::new(),
            reconnect_reason: 0,
            access_token: String::new(),
            join_request: String::new(),
            publish: String::new(),
        }
    }
}

impl fmt::Debug for JoinQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinQuery")
            .field("protocol", &self.protocol)
            .field("sdk", &self.sdk)
            .field("version", &self.version)
            .field("os", &self.os)
            .field("auto_subscribe", &self.auto_subscribe)
            .field("adaptive_stream", &self.adaptive_stream)
            .field("reconnect", &self.reconnect)
            .field("sid", &self.sid)
            .finish_non_exhaustive()
    }
}

impl JoinQuery {
    /// Reads the part of the address behind `?`.
    pub fn parse(query: &str) -> Result<Self, QueryError> {
        if query.len() > limit::QUERY {
            return Err(QueryError::TooLong { length: query.len() });
        }
        let mut read = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            read.set(&unescape(name)?, unescape(value)?)?;
        }
        Ok(read)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), QueryError> {
        match name {
            "protocol" => self.protocol = number(&value, "protocol")?,
            "client_protocol" => self.client_protocol = number(&value, "client_protocol")?,
            "sdk" => self.sdk = value,
            "version" => self.version = value,
            "os" => self.os = value,
            "os_version" => self.os_version = value,
            "device_model" => self.device_model = value,
            "browser" => self.browser = value,
            "browser_version" => self.browser_version = value,
            "network" => self.network = value,
            "auto_subscribe" => self.auto_subscribe = yes(&value, "auto_subscribe")?,
            "adaptive_stream" => self.adaptive_stream = yes(&value, "adaptive_stream")?,
            "disable_ice_lite" => self.disable_ice_lite = yes(&value, "disable_ice_lite")?,
            "subscriber_allow_pause" => {
                self.subscriber_allow_pause = Some(yes(&value, "subscriber_allow_pause")?);
            }
            "attributes" => self.attributes = attributes(&value)?,
            "reconnect" => self.reconnect = yes(&value, "reconnect")?,
            "sid" => self.sid = value,
            "reconnect_reason" => self.reconnect_reason = number(&value, "reconnect_reason")?,
            "access_token" => self.access_token = value,
            "join_request" => self.join_request = value,
            "publish" => self.publish = value,
            _ => {}
        }
        Ok(())
    }

    /// The part of the address behind `?`; what is as by default is left out.
    pub fn to_query(&self) -> String {
        let mut query =
            format!("protocol={}&auto_subscribe={}", self.protocol, u8::from(self.auto_subscribe));
        let mut add = |name: &str, value: &str| {
            if !value.is_empty() {
                // Writing into a String cannot fail.
                let _ = write!(query, "&{name}={}", escape(value));
            }
        };
        let flag = |set: bool| if set { "1" } else { "" };
        let count = |number: i64| if number == 0 { String::new() } else { number.to_string() };
        add("client_protocol", &count(i64::from(self.client_protocol)));
        add("sdk", &self.sdk);
        add("version", &self.version);
        add("os", &self.os);
        add("os_version", &self.os_version);
        add("device_model", &self.device_model);
        add("browser", &self.browser);
        add("browser_version", &self.browser_version);
        add("network", &self.network);
        add("adaptive_stream", flag(self.adaptive_stream));
        add("disable_ice_lite", flag(self.disable_ice_lite));
        if let Some(allow) = self.subscriber_allow_pause {
            add("subscriber_allow_pause", if allow { "1" } else { "0" });
        }
        if !self.attributes.is_empty() {
            let json = serde_json::to_vec(&self.attributes).unwrap_or_default();
            add("attributes", &URL_SAFE_NO_PAD.encode(json));
        }
        add("reconnect", flag(self.reconnect));
        add("sid", &self.sid);
        add("reconnect_reason", &count(i64::from(self.reconnect_reason)));
        add("access_token", &self.access_token);
        add("join_request", &self.join_request);
        add("publish", &self.publish);
        query
    }

    /// Who the client is, as a message.
    pub fn client_info(&self) -> lk::ClientInfo {
        let sdk = lk::client_info::Sdk::from_str_name(&self.sdk.to_ascii_uppercase());
        lk::ClientInfo {
            sdk: sdk.unwrap_or_default() as i32,
            version: self.version.clone(),
            protocol: i32::try_from(self.protocol).unwrap_or(i32::MAX),
            os: self.os.clone(),
            os_version: self.os_version.clone(),
            device_model: self.device_model.clone(),
            browser: self.browser.clone(),
            browser_version: self.browser_version.clone(),
            network: self.network.clone(),
            client_protocol: i32::try_from(self.client_protocol).unwrap_or(i32::MAX),
            ..lk::ClientInfo::default()
        }
    }
}

fn number<N: std::str::FromStr + Default>(value: &str, name: &'static str) -> Result<N, QueryError> {
    if value.is_empty() {
        return Ok(N::default());
    }
    value.parse().map_err(|_| QueryError::Value { name })
}

fn yes(value: &str, name: &'static str) -> Result<bool, QueryError> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "t" | "true" => Ok(true),
        "" | "0" | "f" | "false" => Ok(false),
        _ => Err(QueryError::Value { name }),
    }
}

fn attributes(value: &str) -> Result<BTreeMap<String, String>, QueryError> {
    if value.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wrong = QueryError::Value { name: "attributes" };
    let json =
        URL_SAFE.decode(value).or_else(|_| URL_SAFE_NO_PAD.decode(value)).map_err(|_| wrong.clone())?;
    if json.len() > limit::ATTRIBUTES {
        return Err(wrong);
    }
    serde_json::from_slice(&json).map_err(|_| wrong)
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => escaped.push(byte.into()),
            _ => {
                // Writing into a String cannot fail.
                let _ = write!(escaped, "%{byte:02X}");
            }
        }
    }
    escaped
}

fn unescape(text: &str) -> Result<String, QueryError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let (high, low) = (rest.next().and_then(hex), rest.next().and_then(hex));
                let (Some(high), Some(low)) = (high, low) else { return Err(QueryError::Escape) };
                bytes.push(high << 4 | low);
            }
            plain => bytes.push(plain),
        }
    }
    String::from_utf8(bytes).map_err(|_| QueryError::Escape)
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn other_peoples_queries_are_read() {
        let js = "auto_subscribe=1&sdk=js&version=2.23.0&protocol=16&adaptive_stream=true&attributes=eyJhIjoiYiJ9&access_token=planted";
        let read = JoinQuery::parse(js).unwrap();
        assert!(read.auto_subscribe && read.adaptive_stream);
        assert_eq!((read.sdk.as_str(), read.protocol), ("js", 16));
        assert_eq!(read.attributes.get("a").map(String::as_str), Some("b"));
        assert_eq!(read.client_info().sdk(), lk::client_info::Sdk::Js);
        assert!(!format!("{read:?}").contains("planted"));
    }

    #[test]
    fn defaults_are_livekits() {
        let read = JoinQuery::parse("").unwrap();
        assert!(read.auto_subscribe && !read.reconnect && !read.adaptive_stream);
        assert!(!JoinQuery::parse("auto_subscribe=0").unwrap().auto_subscribe);
        assert!(JoinQuery::parse("some_new_thing=x").is_ok());
    }

    #[test]
    fn a_bad_value_is_named() {
        assert_eq!(JoinQuery::parse("protocol=x"), Err(QueryError::Value { name: "protocol" }));
        assert_eq!(JoinQuery::parse("attributes=%7B%7D"), Err(QueryError::Value { name: "attributes" }));
        assert_eq!(JoinQuery::parse("os=%F"), Err(QueryError::Escape));
        assert_eq!(JoinQuery::parse("os=%FF"), Err(QueryError::Escape));
    }

    proptest! {
        #[test]
        fn a_query_survives(
            protocol in any::<u32>(), sdk in any::<String>(), os in any::<String>(), sid in any::<String>(),
            auto_subscribe in any::<bool>(), reconnect in any::<bool>(), reason in any::<i32>(),
            pause in any::<Option<bool>>(), attributes in any::<BTreeMap<String, String>>(),
        ) {
            let query = JoinQuery {
                protocol, sdk, os, sid, auto_subscribe, reconnect, reconnect_reason: reason,
                subscriber_allow_pause: pause, attributes, ..JoinQuery::default()
            };
            let text = query.to_query();
            if text.len() <= limit::QUERY {
                prop_assert_eq!(JoinQuery::parse(&text).unwrap(), query);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>(), query in "[a-z_=&%0-9]{0,100}") {
            let _ = (JoinQuery::parse(&text), JoinQuery::parse(&query));
        }
    }
}
