//! Clips over HTTP: whole, in part, not at all.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use protocols::hazard::PhraseSet;
use protocols::trust;
use protocols::wire::MessageType;
use reqwest::Response;
use sha2::{Digest as _, Sha256};
use tests::harness::clock;

use crate::cases::Rig;

/// Phrases are spoken on start, one after the other.
const PHRASES_DEADLINE: Duration = Duration::from_mins(1);

const PHRASES_BYTES_MAX: usize = 64 * 1024;

/// The URL of a phrase clip, from the sealed set as a terminal reads it.
async fn a_clip(rig: &Rig) -> anyhow::Result<(String, usize)> {
    let roots = dispatcher::context::read_roots(&rig.folder.join("roots/roots.pub"))?;
    let anybody = rig.city.anonymous()?;
    let clip = clock::eventually("a phrase clip is offered", PHRASES_DEADLINE, async || {
        let reply = anybody.send(reqwest::Method::GET, "/api/v1/phrases", None).await?;
        let now = Some(clock::now());
        let kind = MessageType::PhraseSet;
        let set =
            trust::open::<PhraseSet>(&reply.bytes, PHRASES_BYTES_MAX, kind, &roots, &[], now)?;
        Ok(set.message.phrases.first().map(|phrase| phrase.clip.clone()))
    })
    .await?;
    let url = format!("{}/api/v1/clips/{}", rig.city.url, clip.digest);
    Ok((url, usize::try_from(clip.bytes)?))
}

async fn get(rig: &Rig, url: &str, headers: &[(&str, &str)]) -> anyhow::Result<Response> {
    let mut request = rig.composer.client().get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Ok(request.send().await?)
}

fn header<'r>(response: &'r Response, name: &str) -> &'r str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

pub(crate) async fn are_given_whole_in_part_or_not_at_all(rig: &Rig) -> anyhow::Result<()> {
    let (url, length) = a_clip(rig).await?;
    let whole = get(rig, &url, &[]).await?;
    ensure!(whole.status() == 200, "{}", whole.status());
    let etag = header(&whole, "etag").to_owned();
    ensure!(header(&whole, "accept-ranges") == "bytes", "ranges are offered");
    ensure!(header(&whole, "content-type") == "audio/ogg", "{:?}", whole.headers());
    let bytes = whole.bytes().await?;
    ensure!(bytes.len() == length && bytes.starts_with(b"OggS"), "{} bytes", bytes.len());
    let digest = hex::encode(Sha256::digest(&bytes));
    ensure!(url.ends_with(&digest) && etag == format!("\"{digest}\""), "{etag} is not {digest}");

    let last = length - 1;
    let within = [
        ("bytes=0-99", 0, 99),
        ("bytes=100-", 100, last),
        ("bytes=-50", length - 50, last),
        ("bytes=0-99999999", 0, last),
    ];
    for (range, first, end) in within {
        let part = get(rig, &url, &[("range", range)]).await?;
        ensure!(part.status() == 206, "{range}: {}", part.status());
        let expected = format!("bytes {first}-{end}/{length}");
        ensure!(header(&part, "content-range") == expected, "{range}: {:?}", part.headers());
        ensure!(header(&part, "etag") == etag, "{range}: a part keeps the tag of the whole");
        let part = part.bytes().await?;
        ensure!(part == bytes.slice(first..=end), "{range}: other bytes");
    }
    for range in [format!("bytes={length}-"), "bytes=-0".to_owned()] {
        let none = get(rig, &url, &[("range", &range)]).await?;
        ensure!(none.status() == 416, "{range}: {}", none.status());
        let expected = format!("bytes */{length}");
        ensure!(header(&none, "content-range") == expected, "{range}: {:?}", none.headers());
        ensure!(none.bytes().await?.is_empty(), "{range}: bytes came");
    }
    // Several at once, one that is not understood, one of another version: the whole.
    for headers in [
        vec![("range", "bytes=0-9,20-29")],
        vec![("range", "bytes=9-0")],
        vec![("range", "lines=1-2")],
        vec![("range", "bytes=0-9"), ("if-range", "\"another\"")],
    ] {
        let whole = get(rig, &url, &headers).await?;
        ensure!(whole.status() == 200, "{headers:?}: {}", whole.status());
        ensure!(whole.bytes().await? == bytes, "{headers:?}: not the whole");
    }
    let same = get(rig, &url, &[("range", "bytes=0-9"), ("if-range", &etag)]).await?;
    ensure!(same.status() == 206, "If-Range of this version: {}", same.status());
    let known = get(rig, &url, &[("if-none-match", &etag)]).await?;
    ensure!(known.status() == 304, "{}", known.status());
    ensure!(known.bytes().await?.is_empty(), "304 with a body");
    let unknown = get(rig, &url.replace(&digest, &"0".repeat(64)), &[]).await?;
    ensure!(unknown.status() == 404, "a clip that is not here: {}", unknown.status());
    let kind = header(&unknown, "content-type").to_owned();
    ensure!(kind == "application/problem+json", "{kind}");
    let text = unknown.text().await.context("a problem document")?;
    ensure!(text.contains("not-found"), "{text}");
    Ok(())
}
