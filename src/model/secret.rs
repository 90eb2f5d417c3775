//! Secrets as they are kept: so that whoever reads all of a store learns none of them.
//!
//! Of a token its hash is kept, by which one that is sent is known. Where it was opened under an idempotency key it is kept
//! besides, sealed under that key: whoever repeats a start has the key, and is told the token again. Of the key itself only a hash
//! is kept.

use std::fmt::{self, Write as _};

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Beside, DeploymentId, LeaseToken};

/// The token of a lease as it is kept: `t1:`, its hash, and where it is sealed `:` and that.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeptToken(String);

/// An idempotency key as it is kept: `k1:` and its hash.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeptKey(String);

const TOKEN: &str = "t1:";
const KEY: &str = "k1:";
/// How many bytes of a SHA-256 are kept: as many as a token is made of.
const HASH_BYTES: usize = 16;
const SALT_BYTES: usize = 16;
/// What the sealing is for, so that the same key gives other keys elsewhere.
const PURPOSE: &[u8] = b"mortise lease token\n";

impl KeptToken {
    /// A token, sealed under the idempotency key that it was opened under, where there is one.
    pub fn of(token: &LeaseToken, deployment: DeploymentId, key: Option<&str>) -> Self {
        let mut kept = TOKEN.to_owned();
        push_hex(&mut kept, &hash(b"mortise token\n", &[token.0.as_bytes()]));
        if let Some(key) = key {
            // No two tokens are the same, so that no two salts are, nor the keys that are made of them.
            let salt = hash(b"mortise salt\n", &[deployment.0.as_bytes(), token.0.as_bytes()]);
            let sealed = cipher(key, &salt, deployment).encrypt(&Nonce::default(), token.0.as_bytes());
            kept.push(':');
            push_hex(&mut kept, &salt);
            push_hex(&mut kept, &sealed.expect("a token is short"));
        }
        Self(kept)
    }

    /// What a store has.
    pub fn from_kept(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As it is kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is this token.
    pub fn is_of(&self, token: &LeaseToken) -> bool {
        let kept = self.0.strip_prefix(TOKEN).map(|rest| rest.split(':').next().unwrap_or_default());
        kept == Some(&hex(&hash(b"mortise token\n", &[token.0.as_bytes()])))
    }

    /// The token itself, for who has the key; `None` where it was opened under another one or none, or is not as it was kept.
    pub fn open(&self, deployment: DeploymentId, key: &str) -> Option<LeaseToken> {
        let (_, sealed) = self.0.strip_prefix(TOKEN)?.split_once(':')?;
        let bytes = from_hex(sealed)?;
        let (salt, sealed) = bytes.split_at_checked(SALT_BYTES)?;
        let token = cipher(key, salt, deployment).decrypt(&Nonce::default(), sealed).ok()?;
        String::from_utf8(token).ok().map(LeaseToken)
    }
}

impl KeptKey {
    /// A key.
    pub fn of(key: &str) -> Self {
        Self(KEY.to_owned() + &hex(&hash(b"mortise idempotency key\n", &[key.as_bytes()])))
    }

    /// What a store has.
    pub fn from_kept(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As it is kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What was kept in clear by an earlier version, all of one change, as it is kept now. Where the key is among it, the tokens are
/// sealed under it.
pub fn keep_secret(beside: &mut [Beside]) {
    let key = beside.iter().find_map(|beside| match beside {
        Beside::Key(row) => Some(row.key.0.clone()),
        Beside::Lease(_) => None,
    });
    for beside in beside {
        match beside {
            Beside::Lease(row) => {
                row.token = KeptToken::of(&LeaseToken(row.token.0.clone()), row.deployment, key.as_deref());
            }
            Beside::Key(row) => row.key = KeptKey::of(&row.key.0),
        }
    }
}

fn hash(purpose: &[u8], parts: &[&[u8]]) -> [u8; HASH_BYTES] {
    let mut hash = Sha256::new_with_prefix(purpose);
    parts.iter().for_each(|part| hash.update(part));
    *hash.finalize().first_chunk().expect("a SHA-256 has 32 bytes")
}

/// What seals the token of one lease, and nothing else: its nonce may be the same each time.
fn cipher(key: &str, salt: &[u8], deployment: DeploymentId) -> ChaCha20Poly1305 {
    let mut derived = Key::default();
    let purpose = [PURPOSE, deployment.0.as_bytes()].concat();
    let made = Hkdf::<Sha256>::new(Some(salt), key.as_bytes()).expand(&purpose, &mut derived);
    made.expect("a key is short enough to be derived");
    ChaCha20Poly1305::new(&derived)
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    push_hex(&mut text, bytes);
    text
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    bytes.iter().for_each(|byte| write!(text, "{byte:02x}").expect("a text takes what is written to it"));
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (digits, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let digit = |digit: u8| char::from(digit).to_digit(16);
    digits.iter().map(|&[high, low]| u8::try_from(digit(high)? * 16 + digit(low)?).ok()).collect()
}

impl fmt::Debug for KeptToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeptToken(…)")
    }
}

impl fmt::Debug for KeptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeptKey({})", self.0)
    }
}
