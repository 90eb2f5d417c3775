//! Files that commands are given.

use std::io::Read;
use std::path::Path;

use super::CliError;
use crate::document::Syntax;

/// A text that was read, and its notation.
pub(super) struct Source {
    pub name: String,
    pub bytes: Vec<u8>,
    pub syntax: Syntax,
}

impl Source {
    /// Reads a file, or standard input for `-`. The notation is told by the ending of the name. Without a known ending, a
    /// text that begins like JSON is JSON, and any other is YAML.
    pub fn read(path: &Path) -> Result<Self, CliError> {
        let is_standard_input = path.as_os_str() == "-";
        let name = if is_standard_input { "standard input".to_owned() } else { path.display().to_string() };
        let mut bytes = Vec::new();
        let read = if is_standard_input {
            std::io::stdin().read_to_end(&mut bytes).map(drop)
        } else {
            std::fs::read(path).map(|all| bytes = all)
        };
        read.map_err(|error| CliError::File { path: name.clone(), error })?;
        let begins_like_json = bytes.trim_ascii_start().first().is_some_and(|first| matches!(first, b'{' | b'['));
        let is_json = match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => true,
            Some("yaml" | "yml") => false,
            _ => begins_like_json,
        };
        Ok(Self { name, bytes, syntax: if is_json { Syntax::Json } else { Syntax::Yaml } })
    }

    /// The bytes as text.
    pub fn text(self) -> Result<String, CliError> {
        String::from_utf8(self.bytes).map_err(|error| CliError::File {
            path: self.name,
            error: std::io::Error::new(std::io::ErrorKind::InvalidData, error.utf8_error()),
        })
    }

    /// The `Content-Type` of the text.
    pub fn content_type(&self) -> &'static str {
        match self.syntax {
            Syntax::Json => "application/json",
            Syntax::Yaml => "application/yaml",
        }
    }
}
