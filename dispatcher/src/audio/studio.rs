//! Clips off the runtime's threads, a few at a time; those that an officer waits for first.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{Semaphore, watch};

use super::{Speech, clips};
use crate::voice::{Clip, Need, Voice};

/// Clips made at once for who waits. Speech takes a whole core; two leave a small machine able to
/// answer.
const URGENT_AT_ONCE: usize = 2;

/// Clips made at once for nobody in particular.
const PATIENT_AT_ONCE: usize = 1;

/// A speech engine behind the port of the use cases.
pub struct Studio {
    speech: Arc<dyn Speech>,
    urgent: Semaphore,
    patient: Semaphore,
    wanted: watch::Sender<Wanted>,
}

/// Clips that are asked for and not finished.
#[derive(Debug, Clone, Copy, Default)]
struct Wanted {
    now: usize,
    soon: usize,
}

impl Wanted {
    fn count(&mut self, need: Need) -> Option<&mut usize> {
        match need {
            Need::Now => Some(&mut self.now),
            Need::Soon => Some(&mut self.soon),
            Need::Idle => None,
        }
    }

    /// Whether nobody who comes before `need` waits.
    fn yields_to(self, need: Need) -> bool {
        match need {
            Need::Now => true,
            Need::Soon => self.now == 0,
            Need::Idle => self.now == 0 && self.soon == 0,
        }
    }
}

/// Somebody who wants a clip, until dropped.
struct Waiting<'studio>(&'studio watch::Sender<Wanted>, Need);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|wanted| {
            if let Some(count) = wanted.count(self.1) {
                *count -= 1;
            }
        });
    }
}

impl Studio {
    /// The studio of this engine.
    pub fn new(speech: Arc<dyn Speech>) -> Self {
        let (urgent, patient) = (Semaphore::new(URGENT_AT_ONCE), Semaphore::new(PATIENT_AT_ONCE));
        Self { speech, urgent, patient, wanted: watch::Sender::default() }
    }

    fn enter(&self, need: Need) -> Waiting<'_> {
        self.wanted.send_modify(|wanted| {
            if let Some(count) = wanted.count(need) {
                *count += 1;
            }
        });
        Waiting(&self.wanted, need)
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

    async fn clip(&self, language: &str, text: &str, need: Need) -> Option<Clip> {
        let _waiting = self.enter(need);
        let mut wanted = self.wanted.subscribe();
        wanted.wait_for(|wanted| wanted.yields_to(need)).await.ok()?;
        let places = match need {
            Need::Now => &self.urgent,
            Need::Soon | Need::Idle => &self.patient,
        };
        let _place = places.acquire().await.ok()?;
        let (speech, tag, words) = (self.speech.clone(), language.to_owned(), text.to_owned());
        let make = move || clips::make(&*speech, &tag, &words, need);
        match tokio::task::spawn_blocking(make).await {
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

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError, mpsc};

    use super::*;
    use crate::audio::{Pcm, SpeechError};

    /// Says a tone; each text waits for a go.
    struct Gated {
        said: Mutex<Vec<String>>,
        go: Mutex<mpsc::Receiver<()>>,
    }

    impl Speech for Gated {
        fn voice(&self, language: &str) -> Option<String> {
            Some(language.to_owned())
        }

        fn synthesize(&self, _: &str, text: &str, _: Need) -> Result<Pcm, SpeechError> {
            self.go.lock().unwrap_or_else(PoisonError::into_inner).recv().expect("a go");
            self.said.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
            let samples = (0..4_800).map(|n| 0.3 * (n as f32 * 0.05).sin()).collect();
            Ok(Pcm { rate: 48_000, samples })
        }
    }

    #[tokio::test]
    async fn an_officers_words_are_made_before_closing_words_and_those_before_phrases() {
        let (go, gate) = mpsc::channel();
        let speech = Arc::new(Gated { said: Mutex::default(), go: Mutex::new(gate) });
        let studio = Arc::new(Studio::new(speech.clone()));
        let ask = |text: &'static str, need| {
            let studio = studio.clone();
            tokio::spawn(async move { studio.clip("en", text, need).await })
        };
        let mut asked = vec![ask("officer", Need::Now)];
        tokio::task::yield_now().await;
        asked.push(ask("phrase", Need::Idle));
        asked.push(ask("closing", Need::Soon));
        asked.push(ask("another officer", Need::Now));
        tokio::task::yield_now().await;
        assert_eq!(studio.wanted.borrow().now, 2);
        for _ in 0..4 {
            go.send(()).expect("somebody waits");
        }
        for one in asked {
            assert!(one.await.expect("no panic").is_some());
        }
        let said = speech.said.lock().unwrap_or_else(PoisonError::into_inner).clone();
        assert!(said[..2].contains(&"officer".to_owned()), "{said:?}");
        assert_eq!(said[2..], ["closing", "phrase"]);
    }
}
