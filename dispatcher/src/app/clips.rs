//! Clips of texts, and the set of phrases that terminals hold in advance.

use kill_points::kill_point;
use protocols::digest::Digest;
use protocols::hazard::{HAZARDS, PhraseClip, PhraseSet};
use protocols::order::ClipReference;
use protocols::speech::Language;

use crate::context::App;
use crate::store::{self, Conn, StoreError};
use crate::voice::Need;

/// The clip of `text`, made now unless it is kept already. `None` when no voice can say it: the
/// terminals then use their own. It may take a second and begins its own transaction: call it
/// before the caller's.
pub async fn ensure(
    app: &App,
    language: &str,
    text: &str,
    need: Need,
) -> Result<Option<ClipReference>, StoreError> {
    let Some(voice) = app.voice.name(language) else { return Ok(None) };
    let key = text_digest(language, text);
    if let Some(kept) = store::clips::find(&mut *app.db.read().await?, &key, &voice).await? {
        return Ok(Some(kept));
    }
    let Some(clip) = app.voice.clip(language, text, need).await else { return Ok(None) };
    let mut tx = app.db.begin().await?;
    store::clips::insert(&mut tx, &clip, language, &voice, &key, app.now()).await?;
    // Somebody else may have been first; what is kept counts.
    let kept = store::clips::find(&mut tx, &key, &voice).await?;
    kill_point!("speech.storing");
    tx.commit().await?;
    kill_point!("speech.stored");
    Ok(Some(kept.unwrap_or(clip.reference)))
}

/// A text in a language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// BCP 47 tag.
    pub language: &'static str,
    /// The text.
    pub text: String,
}

/// The phrases that a voice could say and whose clips are not kept, in the order of the table of
/// hazards.
pub async fn missing_phrases(app: &App) -> Result<Vec<Words>, StoreError> {
    let mut connection = app.db.read().await?;
    let mut missing = Vec::new();
    for hazard in &HAZARDS {
        for language in Language::ALL {
            let (language, text) = (language.tag(), hazard.phrase_clip_text(language));
            let is_kept = kept(app, &mut connection, language, &text).await?.is_some();
            if !is_kept && app.voice.name(language).is_some() {
                missing.push(Words { language, text });
            }
        }
    }
    Ok(missing)
}

/// The phrases whose clips are kept, in the order of the table of hazards.
pub async fn phrase_set(app: &App) -> Result<PhraseSet, StoreError> {
    let mut connection = app.db.read().await?;
    let mut phrases = Vec::new();
    for hazard in &HAZARDS {
        for language in Language::ALL {
            let text = hazard.phrase_clip_text(language);
            if let Some(clip) = kept(app, &mut connection, language.tag(), &text).await? {
                let language = language.tag().to_owned();
                phrases.push(PhraseClip { event: hazard.event(), language, clip });
            }
        }
    }
    Ok(PhraseSet { phrases })
}

/// The clip of `text`, if it was made.
pub async fn kept(
    app: &App,
    connection: &mut Conn,
    language: &str,
    text: &str,
) -> Result<Option<ClipReference>, StoreError> {
    let Some(voice) = app.voice.name(language) else { return Ok(None) };
    store::clips::find(connection, &text_digest(language, text), &voice).await
}

/// Names a text in a language; the blank in between is in no tag.
fn text_digest(language: &str, text: &str) -> Digest {
    Digest::of(format!("{language} {text}").as_bytes())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;

    use super::*;
    use crate::ports::Ports;
    use crate::store::Db;
    use crate::voice::{Clip, Voice};

    /// Counts what it is asked for; its clips are the text itself.
    #[derive(Debug, Default)]
    struct Counting(AtomicUsize);

    #[async_trait]
    impl Voice for Counting {
        fn name(&self, language: &str) -> Option<String> {
            Language::from_tag(language).map(|_| format!("counting/{language}"))
        }

        async fn clip(&self, _: &str, text: &str, _: Need) -> Option<Clip> {
            self.0.fetch_add(1, Ordering::SeqCst);
            let bytes = text.as_bytes().to_vec();
            let reference = ClipReference {
                digest: Digest::of(&bytes),
                bytes: bytes.len() as u32,
                duration_ms: 7,
            };
            Some(Clip { bytes, reference })
        }
    }

    async fn app(folder: &std::path::Path, voice: Arc<Counting>) -> App {
        let db = Db::open(&format!("sqlite:{}/t.db", folder.display()), 2).await.expect("opens");
        let app = App::new(
            db,
            Ports::fixed(jiff::Timestamp::UNIX_EPOCH, 1).0,
            crate::config::Config::default(),
            signer(),
        );
        let mut app = Arc::try_unwrap(app).expect("the only owner");
        app.voice = voice;
        app
    }

    fn signer() -> crate::context::Signer {
        use protocols::certificate::{Algorithm, Certificate};
        use protocols::trust::Roots;
        use protocols::wire::{self, MessageType, SigningKey};
        let (root, key) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]));
        let region: protocols::region::RegionCode = "350200000000".parse().expect("a region");
        let certificate = Certificate {
            serial: 1,
            public_key: key.verifying_key().to_bytes().to_vec(),
            algorithm: Algorithm::Ed25519,
            region,
            level: region.level(),
            not_before: jiff::Timestamp::UNIX_EPOCH,
            not_after: jiff::Timestamp::UNIX_EPOCH,
            name: "test".to_owned(),
        };
        let sealed =
            wire::seal(MessageType::Certificate, None, wire::encode(&certificate), &root, None);
        crate::context::Signer::new(key, sealed, Roots::new([root.verifying_key()]))
            .expect("believed")
    }

    #[tokio::test]
    async fn a_text_is_spoken_once_and_its_clip_is_found_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let voice = Arc::new(Counting::default());
        let app = app(folder.path(), voice.clone()).await;
        let first =
            ensure(&app, "zh-CN", "台风", Need::Now).await.expect("stored").expect("a clip");
        let second =
            ensure(&app, "zh-CN", "台风", Need::Now).await.expect("stored").expect("a clip");
        assert_eq!(first, second);
        assert_eq!(voice.0.load(Ordering::SeqCst), 1);
        assert_eq!((first.bytes, first.duration_ms), (6, 7));
        let mut connection = app.db.read().await.expect("reads");
        let bytes = store::clips::bytes(&mut connection, &first.digest).await.expect("reads");
        assert_eq!(bytes.as_deref(), Some("台风".as_bytes()));
        assert_eq!(ensure(&app, "nan", "x", Need::Now).await.expect("no voice"), None);
    }

    #[tokio::test]
    async fn phrases_are_missing_until_they_are_made_one_for_each_hazard_and_language() {
        let folder = tempfile::tempdir().expect("a folder");
        let app = app(folder.path(), Arc::new(Counting::default())).await;
        assert_eq!(phrase_set(&app).await.expect("reads").phrases, []);
        let missing = missing_phrases(&app).await.expect("reads");
        assert_eq!(missing.len(), HAZARDS.len() * Language::ALL.len());
        for (made, words) in missing.iter().enumerate() {
            // Hazards that are announced alike share a clip.
            let spoken = |one: &&Words| {
                missing[..made]
                    .iter()
                    .any(|it| (it.language, &it.text) == (one.language, &one.text))
            };
            let ready = missing.iter().filter(spoken).count();
            assert_eq!(phrase_set(&app).await.expect("reads").phrases.len(), ready);
            let clip = ensure(&app, words.language, &words.text, Need::Idle).await;
            assert!(clip.expect("stored").is_some());
        }
        assert_eq!(missing_phrases(&app).await.expect("reads"), []);
    }
}
