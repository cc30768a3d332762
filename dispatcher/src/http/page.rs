//! Keyset pages: `?limit=50&cursor=…`, answered as `{items, next_cursor}`.
//!
//! A cursor is opaque: base64url of a version, the last key, and a digest of the filters. One that
//! was made under other filters is refused, because its key would mean another place.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocols::digest::Digest;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::http::problem::{Finding, Problem};
use crate::http::refusal;

/// Items of a page when nothing is asked for.
pub const LIMIT_DEFAULT: i64 = 50;

/// Items of a page at most.
pub const LIMIT_MAX: i64 = 200;

const VERSION: u8 = 1;

/// The query of a list without filters.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// 1 to 200.
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// A page that is asked for. Flatten is not used: a list with filters has both query parameters in
/// a struct of its own, and calls [`page`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<K> {
    /// Items wanted. Ask the store for one more to know whether there is a next page.
    pub limit: i64,
    /// Key of the last item of the page before.
    pub after: Option<K>,
    filter: String,
}

/// A page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Items<T> {
    /// The items.
    pub items: Vec<T>,
    /// Give it as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Cursor<K> {
    version: u8,
    filter: String,
    key: K,
}

/// Reads `limit` and `cursor`. `filters` is everything else that the list was asked with, in any
/// stable form.
pub fn page<K: DeserializeOwned>(
    limit: Option<i64>,
    cursor: Option<&str>,
    filters: &str,
) -> Result<Page<K>, Problem> {
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let (zh, en) = ("limit 须在 1 至 200 之间", "limit is 1 to 200");
        let finding = Finding::new("/limit", "out-of-range", zh, en);
        return Err(Problem::malformed(zh, en).finding(finding));
    }
    let filter = Digest::of(filters.as_bytes()).to_string();
    let Some(cursor) = cursor else { return Ok(Page { limit, after: None, filter }) };
    let refuse = || {
        let (zh, en) = (
            "游标无效或与筛选条件不符，请从第一页重新开始",
            "the cursor is not one of this list; begin again without it",
        );
        Problem::malformed(zh, en).finding(Finding::new("/cursor", "cursor", zh, en))
    };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refuse())?;
    let cursor: Cursor<K> = refusal::read(&bytes).map_err(|_| refuse())?;
    if cursor.version != VERSION || cursor.filter != filter {
        return Err(refuse());
    }
    Ok(Page { limit, after: Some(cursor.key), filter })
}

impl<K: Serialize> Page<K> {
    /// Makes the answer of at most `limit + 1` rows: the surplus one only says that there is more.
    pub fn items<T>(self, mut rows: Vec<T>, key: impl Fn(&T) -> K) -> Items<T> {
        let limit = usize::try_from(self.limit).unwrap_or(0);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| has_more).map(|last| {
            let cursor = Cursor { version: VERSION, filter: self.filter, key: key(last) };
            let json = serde_json::to_vec(&cursor).expect("keys are strings and numbers");
            URL_SAFE_NO_PAD.encode(json)
        });
        Items { items: rows, next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_gap_or_repeat() {
        let all = (1..=7).collect::<Vec<i64>>();
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page: Page<i64> = page(Some(3), cursor.as_deref(), "a").expect("valid");
            let after = page.after.unwrap_or(0);
            let rows = all.iter().copied().filter(|n| *n > after).take(4).collect();
            let items = page.items(rows, |n| *n);
            seen.extend(items.items);
            cursor = items.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn a_cursor_of_other_filters_is_refused() {
        let first: Page<i64> = page(Some(1), None, "region=1").expect("valid");
        let cursor = first.items(vec![1, 2], |n| *n).next_cursor.expect("more");
        assert!(page::<i64>(Some(1), Some(&cursor), "region=1").is_ok());
        assert!(page::<i64>(Some(1), Some(&cursor), "region=2").is_err());
        assert!(page::<i64>(Some(201), None, "").is_err());
    }
}
