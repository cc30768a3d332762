//! Clips off the runtime's threads, a few at a time.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Semaphore;

use super::{Speech, clips};
use crate::voice::{Clip, Voice};

/// Clips made at once. Speech takes a whole core; two leave a small machine able to answer.
const AT_ONCE: usize = 2;

/// A speech engine behind the port of the use cases.
pub struct Studio {
    speech: Arc<dyn Speech>,
    places: Semaphore,
}

impl Studio {
    /// The studio of this engine.
    pub fn new(speech: Arc<dyn Speech>) -> Self {
        Self { speech, places: Semaphore::new(AT_ONCE) }
    }
}

impl fmt::Debug for Studio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Studio")
    }
}

#[async_trait]
impl Voice for Studio {
    fn name(&self, language: &str) -> Option<String> {
        self.speech.voice(language)
    }

    async fn clip(&self, language: &str, text: &str) -> Option<Clip> {
        let _place = self.places.acquire().await.ok()?;
        let (speech, tag, words) = (self.speech.clone(), language.to_owned(), text.to_owned());
        let made = tokio::task::spawn_blocking(move || clips::make(&*speech, &tag, &words)).await;
        match made {
            Ok(Ok(clip)) => Some(clip),
            Ok(Err(error)) => {
                tracing::warn!(clip.language = language, "no clip was made: {error}");
                None
            }
            Err(_) => {
                tracing::error!(clip.language = language, "the maker of clips panicked");
                None
            }
        }
    }
}
