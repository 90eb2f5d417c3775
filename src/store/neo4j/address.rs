//! Where a database is, and who asks: `bolt://user:password@host:7687/database`.

use std::fmt;
use std::net::SocketAddr;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::store::StoreError;

/// The address of a database. Its password is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    scheme: String,
    /// Host and port.
    endpoint: String,
    user: String,
    password: String,
    database: Option<String>,
}

/// What is connected to where the address does not say otherwise.
const USER: &str = "neo4j";
const SCHEMES: [&str; 6] = ["bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc"];

impl Address {
    /// Reads an address; `password` counts where the URI has none. User and password are percent-encoded in the URI. Without
    /// a database the user's own is taken.
    ///
    /// # Errors
    /// [`StoreError::Address`], which never repeats a password.
    pub fn parse(uri: &str, password: Option<&str>) -> Result<Self, StoreError> {
        let wrong = |why: String| StoreError::Address(why);
        let url = Url::parse(uri).map_err(|error| wrong(error.to_string()))?;
        if !SCHEMES.contains(&url.scheme()) {
            return Err(wrong(format!("its scheme is `{}`, not one of {}", url.scheme(), SCHEMES.join(", "))));
        }
        let host =
            url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("it names no host".to_owned()))?;
        let decoded = |text: &str| {
            let decoded = percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned);
            decoded.map_err(|_| wrong("a part of it is not UTF-8 once it is decoded".to_owned()))
        };
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it has a query or a fragment, which mean nothing here".to_owned()));
        }
        let database = decoded(url.path().trim_matches('/'))?;
        if database.contains(['@', ':', '/']) {
            // Most likely a part of a password, which nobody should see.
            let why =
                "what stands behind the port is no name of a database; percent-encode user and password (`/` is %2F)";
            return Err(wrong(why.to_owned()));
        }
        let password = match (url.password(), password) {
            (Some(written), _) => decoded(written)?,
            (None, Some(given)) => given.to_owned(),
            (None, None) => String::new(),
        };
        let user = decoded(url.username())?;
        Ok(Self {
            scheme: url.scheme().to_owned(),
            endpoint: format!("{host}:{}", url.port().unwrap_or(7687)),
            user: if user.is_empty() { USER.to_owned() } else { user },
            password,
            database: (!database.is_empty()).then_some(database),
        })
    }

    /// Host and port where what is said can be read on the way; absent where it is encrypted.
    pub(super) fn readable(&self) -> Option<&str> {
        (!self.scheme.contains('+')).then_some(&self.endpoint)
    }

    /// The same database by way of another address.
    pub(super) fn through(&self, address: SocketAddr) -> Self {
        Self { endpoint: address.to_string(), ..self.clone() }
    }

    /// A configuration of the driver for this address.
    pub(super) fn config(
        &self,
        connections: usize,
        timeout: std::time::Duration,
    ) -> Result<neo4rs::Config, StoreError> {
        let mut builder = neo4rs::ConfigBuilder::default()
            .uri(format!("{}://{}", self.scheme, self.endpoint))
            .user(self.user.as_str())
            .password(self.password.as_str())
            .fetch_size(1_000)
            .max_connections(connections)
            .connection_timeout(timeout);
        if let Some(database) = &self.database {
            builder = builder.db(database.as_str());
        }
        builder.build().map_err(|error| StoreError::Address(error.to_string()))
    }
}

/// The address without user and password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.endpoint)?;
        self.database.as_ref().map_or(Ok(()), |database| write!(f, "/{database}"))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
