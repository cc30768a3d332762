//! Who this device is: what enrolment gave it, and its private key. One file, readable by its
//! owner alone, written whole or not at all.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use kill_points::kill_point;
use protocols::area::Position;
use protocols::enrolment::GrantedPosition;
use protocols::terminal::TerminalId;
use protocols::trust::Roots;
use protocols::wire::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

/// Name of the file in the state folder.
pub const FILE_NAME: &str = "identity.json";

/// The identity. Its `Debug` would show secrets, so it has none.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// Who.
    pub terminal: TerminalId,
    /// Where.
    pub position: Option<GrantedPosition>,
    /// Public keys of the roots, 64 hex digits each.
    pub roots: Vec<String>,
    /// The dispatcher's sealed certificate, URL-safe base64.
    pub certificate: String,
    /// MQTT broker.
    pub mqtt_url: String,
    /// MQTT password.
    pub mqtt_password: String,
    /// Base URL of clips and phrases.
    pub media_url: String,
    /// Seed of the private key, 64 hex digits.
    pub key_seed: String,
}

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The device was never enrolled here.
    #[error("{0} does not exist: run `edge-node enrol`")]
    NotEnrolled(PathBuf),
    /// It can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is damaged.
    #[error("{path}: {reason}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl Identity {
    /// Reads it from the state folder.
    pub fn load(folder: &Path) -> Result<Self, IdentityError> {
        let path = folder.join(FILE_NAME);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(IdentityError::NotEnrolled(path));
            }
            Err(source) => return Err(IdentityError::Io { path, source }),
        };
        let damaged = |reason: String| IdentityError::Damaged { path: path.clone(), reason };
        let identity: Self =
            serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        identity.roots().map_err(|reason| damaged(reason.to_owned()))?;
        identity.key().map_err(|reason| damaged(reason.to_owned()))?;
        Ok(identity)
    }

    /// Writes it, on disk when this returns. The temporary file is private from its creation.
    pub fn save(&self, folder: &Path) -> Result<(), IdentityError> {
        let path = folder.join(FILE_NAME);
        let io = |source| IdentityError::Io { path: path.clone(), source };
        std::fs::create_dir_all(folder).map_err(io)?;
        let text =
            serde_json::to_string_pretty(self).map_err(|error| io(std::io::Error::other(error)))?;
        kill_point!("identity.writing");
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(io)?;
        file.write_all(text.as_bytes()).map_err(io)?;
        file.as_file().sync_all().map_err(io)?;
        file.persist(&path).map_err(|error| io(error.error))?;
        super::journal::sync_folder(&path).map_err(io)?;
        kill_point!("identity.written");
        Ok(())
    }

    /// The pinned roots.
    pub fn roots(&self) -> Result<Roots, &'static str> {
        let mut keys = Vec::new();
        for root in &self.roots {
            let bytes = hex::decode(root).map_err(|_| "roots: not hexadecimal")?;
            keys.push(VerifyingKey::from_bytes(&bytes).map_err(|_| "roots: not a public key")?);
        }
        if keys.is_empty() {
            return Err("roots: there is none");
        }
        Ok(Roots::new(keys))
    }

    /// The private key.
    pub fn key(&self) -> Result<SigningKey, &'static str> {
        let mut seed = [0; 32];
        hex::decode_to_slice(&self.key_seed, &mut seed)
            .map_err(|_| "key_seed: not 64 hexadecimal digits")?;
        Ok(SigningKey::from_seed(&seed))
    }

    /// The enrolled position as it is compared with shapes.
    pub fn position(&self) -> Option<Position> {
        self.position.and_then(|at| Position::from_degrees(at.lat, at.lon))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    pub(crate) fn example() -> Identity {
        let key = SigningKey::from_seed(&[7; 32]);
        Identity {
            terminal: "350212110201-0007".parse().expect("a terminal"),
            position: Some(GrantedPosition { lat: 24.7, lon: 118.1 }),
            roots: vec![hex::encode(key.verifying_key().to_bytes())],
            certificate: String::new(),
            mqtt_url: "mqtt://127.0.0.1:1883".to_owned(),
            mqtt_password: "secret".to_owned(),
            media_url: "http://127.0.0.1:8080".to_owned(),
            key_seed: hex::encode([9; 32]),
        }
    }

    #[test]
    fn it_is_private_and_comes_back_as_it_was() {
        let dir = tempfile::tempdir().expect("a folder");
        example().save(dir.path()).expect("writes");
        let mode = std::fs::metadata(dir.path().join(FILE_NAME)).expect("is there").permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        assert!(Identity::load(dir.path()).expect("reads") == example());
    }

    #[test]
    fn a_damaged_identity_is_refused_with_the_field() {
        let dir = tempfile::tempdir().expect("a folder");
        let error = Identity::load(dir.path()).err().expect("not enrolled");
        assert!(error.to_string().contains("edge-node enrol"), "{error}");
        Identity { key_seed: "12".to_owned(), ..example() }.save(dir.path()).expect("writes");
        let error = Identity::load(dir.path()).err().expect("damaged");
        assert!(error.to_string().contains("key_seed"), "{error}");
    }
}
