//! Clips and the phrase set: what is wanted of the dispatcher, and what becomes of what comes.

use std::path::Path;

use jiff::Timestamp;
use kill_points::kill_point;
use protocols::limits::PHRASE_SET_BYTES_MAX;
use protocols::order::ClipReference;
use protocols::trust;
use protocols::wire::MessageType;

use super::Shell;
use crate::engine::io::Input;
use crate::shell::clock;
use crate::shell::fetch::{Fetched, PHRASES_EVERY};
use crate::shell::journal::sync_folder;

/// Name of the sealed phrase set in the state folder.
const PHRASES_FILE: &str = "phrases.cose";

impl Shell {
    pub(super) fn want(
        &mut self,
        clip: &ClipReference,
        deadline: Timestamp,
        keep_until: Timestamp,
    ) {
        if self.clips.contains(&clip.digest) {
            self.clips.keep(&clip.digest, keep_until);
            self.now_on.ready.push_front(Input::ClipReady { digest: clip.digest });
        } else {
            self.fetcher.clip(clip, deadline, keep_until);
        }
    }

    pub(super) fn on_fetched(&mut self, fetched: Fetched) {
        let now = clock::now();
        match fetched {
            Fetched::Clip { digest, bytes, keep_until } => {
                self.fetcher.done(&digest);
                match self.clips.insert(digest, &bytes, now, keep_until) {
                    Ok(()) => {
                        if let Some((_, making)) = &mut self.now_on.making {
                            making.offer(&digest, &mut self.clips, now);
                        }
                        self.feed(Input::ClipReady { digest });
                    }
                    Err(error) => {
                        tracing::warn!("clip {digest}: {error}");
                        self.feed(Input::ClipFailed { digest });
                    }
                }
            }
            Fetched::Late(digest) => self.feed(Input::ClipFailed { digest }),
            Fetched::GivenUp(digest) => {
                self.fetcher.done(&digest);
                self.feed(Input::ClipFailed { digest });
            }
            Fetched::Phrases(sealed) => self.take_phrases(&sealed, Some(now)),
        }
    }

    pub(super) fn load_phrases(&mut self) {
        let path = self.phrases_path();
        match std::fs::read(&path) {
            // Its signer's validity was checked when it came.
            Ok(sealed) => self.take_phrases(&sealed, None),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!("{}: {error}", path.display()),
        }
    }

    fn phrases_path(&self) -> std::path::PathBuf {
        self.journal.path().with_file_name(PHRASES_FILE)
    }

    /// Believes a phrase set if a pinned root vouches for it, keeps it, and gets its clips.
    fn take_phrases(&mut self, sealed: &[u8], now: Option<Timestamp>) {
        let opened = trust::open(
            sealed,
            PHRASE_SET_BYTES_MAX,
            MessageType::PhraseSet,
            &self.roots,
            &[],
            now,
        );
        let set: protocols::hazard::PhraseSet = match opened {
            Ok(authentic) => authentic.message,
            Err(error) => {
                tracing::warn!("phrase set: {error}");
                return;
            }
        };
        if set.phrases.len() > protocols::limits::PHRASES_MAX {
            tracing::warn!("phrase set: more than {} phrases", protocols::limits::PHRASES_MAX);
            return;
        }
        if now.is_some() && set != self.words.phrases {
            tracing::info!(phrases = set.phrases.len(), "phrase set: {} clips", set.phrases.len());
            let path = self.phrases_path();
            if let Err(error) = write_atomically(&path, sealed) {
                tracing::warn!("{}: {error}", path.display());
            }
        }
        self.clips.pin(set.phrases.iter().map(|phrase| phrase.clip.digest));
        // Until the next look at the set. Pinned clips go last, but they must be able to go: an
        // order's own words are worth more than a phrase.
        let until = clock::now().saturating_add(PHRASES_EVERY).unwrap_or(Timestamp::MAX);
        for phrase in &set.phrases {
            if !self.clips.contains(&phrase.clip.digest) {
                self.fetcher.phrase(&phrase.clip, until);
            }
        }
        self.words.phrases = set;
    }
}

fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let folder = path.parent().unwrap_or(Path::new("."));
    kill_point!("phrases.writing");
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(path)?;
    kill_point!("phrases.written");
    Ok(())
}
